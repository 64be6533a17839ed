import { fileURLToPath } from 'node:url';

import { beforeAll, describe, expect, it } from 'vitest';

import { pictureOf } from '../../../daemon/broker/picture.js';
import type { Layout } from '../../../daemon/constraints/constraint-types.js';
import type { Picture } from '../../../daemon/heaps/heap.js';
import { loadPolicy } from '../../../daemon/policy/load.js';
import type { Policy } from '../../../daemon/policy/policy.js';
import { closeAll, type OwnedFd } from '../../../dbus/owned-fd.js';
import { FakeHeap } from '../fake-heap.js';
import { PROFILES } from '../../tools/profiles/index.js';
import { bytes, entry, makeRig, OWNER } from './rig.js';

describe('pictureOf', () => {
  const layout = (format: string, pitches: readonly number[], size = 1n): Layout => ({
    size,
    image: {
      format,
      modifier: 0n,
      width: 100,
      height: 50,
      planes: pitches.map((pitch, i) => ({ offset: BigInt(i), pitch })),
    },
  });

  it.each<[string, Layout, Picture | undefined]>([
    ['whole pixels', layout('XR24', [400]), { width: 100, height: 50, bitsPerPixel: 32 }],
    ['16 bits', layout('RG16', [200]), { width: 100, height: 50, bitsPerPixel: 16 }],
    ['longer rows', layout('XR24', [512]), { width: 128, height: 50, bitsPerPixel: 32 }],
    ['rows that end within a pixel', layout('RG24', [320]), undefined],
    ['pixels in pairs', layout('YUYV', [200]), undefined],
    ['several planes', layout('NV12', [100, 100]), undefined],
    ['no picture', { size: 4096n }, undefined],
  ])('is of %s', (_, given, picture) => {
    expect(pictureOf(given)).toEqual(picture);
  });
});

/** What it was asked to make. */
class RecordingHeap extends FakeHeap {
  readonly asked: (Picture | undefined)[] = [];

  override allocate(size: bigint, picture?: Picture): Promise<OwnedFd> {
    this.asked.push(picture);
    return super.allocate(size);
  }
}

describe('a dumb buffer of virtio-gpu', () => {
  let policy: Policy;
  beforeAll(async () => {
    policy = await loadPolicy({
      root: '/nonexistent',
      shipped: fileURLToPath(new URL('../../../policy', import.meta.url)),
    });
  });

  /** The shipped policy's broker on a guest, whose card has a driver of this name. */
  async function guest(driver: string) {
    const profile = PROFILES['virtio-gpu-guest'];
    if (profile === undefined) throw new Error('no profile');
    const { inventory } = profile;
    const heaps = new Map<string, RecordingHeap>();
    const rig = makeRig({
      inventory: {
        ...inventory,
        devices: inventory.devices.map((device) =>
          device.subsystem === 'drm' ? { ...device, driver } : device,
        ),
        heaps: inventory.heaps.map((heap) => (heap.kind === 'drm-dumb' ? { ...heap, name: driver } : heap)),
      },
      heapOf: ({ id, kind }) => {
        const heap = new RecordingHeap(id, kind !== 'memfd');
        heaps.set(id, heap);
        return heap;
      },
    });
    rig.setPolicy(policy);
    await rig.broker.reload();
    return { ...rig, asked: heaps.get('drm-dumb:/dev/dri/card0')?.asked ?? [] };
  }
  const shown = {
    entries: [entry('/dev/dri/card0', { uses: ['scanout'] as const })],
    content: { format: 'XR24', width: 1920, height: 1080 },
    count: 2,
  };
  const FULL_HD = { width: 1920, height: 1080, bitsPerPixel: 32 };

  // virtgpu_gem.c, virtio_gpu_mode_dumb_create: params.width = args->width; qxl_dumb.c: surf.width = args->width;
  // vmwgfx_surface.c, vmw_dumb_create: a surface of args->width and args->height.
  it.each(['virtio_gpu', 'qxl', 'vmwgfx'])(
    'is made as the picture, and none is kept ready: %s',
    async (driver) => {
      const { broker, asked, timers } = await guest(driver);
      const { fds, allocation } = await broker.allocate(OWNER, shown);
      expect(asked).toEqual([FULL_HD, FULL_HD]);
      closeAll(fds);
      const more = await broker.allocate(OWNER, { extends: allocation.id, count: 1 });
      closeAll(more.fds);
      timers.pass(1000);
      expect(asked).toEqual([FULL_HD, FULL_HD, FULL_HD]);
      expect(broker.pools().map(({ warm }) => warm)).toEqual(broker.pools().map(() => 0n));
      broker.close();
    },
  );

  it('is made as bytes where it is for none, or its driver keeps no geometry', async () => {
    const plain = await guest('virtio_gpu');
    const entries = [entry('/dev/dri/card0', { uses: ['scanout'] })];
    closeAll((await plain.broker.allocate(OWNER, bytes(8192n, { entries }))).fds);
    expect(plain.asked).toEqual([undefined]);
    plain.broker.close();
    const other = await guest('bochs-drm');
    closeAll((await other.broker.allocate(OWNER, { ...shown, count: 1 })).fds);
    expect(other.asked[0]).toBeUndefined();
    other.broker.close();
  });
});
