import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { tryOnCard, tryOnQueue } from '../../../../daemon/devices/probes/try-image.js';
import { readQueues } from '../../../../daemon/devices/v4l2-uses.js';
import { V4L2_CAP, type V4l2Image } from '../../../../daemon/kernel/v4l2.js';
import { FakeKernel, type FakeDrm, type FakeVideo } from '../../../tools/fake-drivers.js';
import { SysfsTree } from '../../../tools/sysfs-tree.js';
import { buffersOpen, FakeHeap } from '../../fake-heap.js';
import { display } from './rig.js';

const IMAGE = {
  format: 'XR24',
  width: 100,
  height: 10,
  planes: [{ offset: 0n, pitch: 512 }],
  size: 5120n,
};
const TIGHT = [{ offset: 0n, pitch: 400 }];

let tree: SysfsTree;
beforeEach(() => {
  tree = new SysfsTree();
  mkdirSync(join(tree.root, 'dev/dri'), { recursive: true });
  for (const node of ['dev/dri/card0', 'dev/video0']) writeFileSync(join(tree.root, node), '');
});
afterEach(() => {
  tree[Symbol.dispose]();
  expect(buffersOpen()).toEqual([]);
});

async function onCard(driver: FakeDrm) {
  const kernel = new FakeKernel({ drm: { card0: driver } });
  using buffer = await new FakeHeap('a').allocate(IMAGE.size);
  const node = kernel.drm.open(join(tree.root, 'dev/dri/card0'));
  try {
    return await tryOnCard(kernel.drm, node.number, buffer.number, { ...IMAGE, explicit: false }, TIGHT);
  } finally {
    node.close();
    expect(kernel.left).toEqual([]);
  }
}

describe('tryOnCard', () => {
  const imported = { call: 'PRIME_FD_TO_HANDLE', said: 'accepted' };

  it('imports the buffer and makes it a framebuffer with the pitch that was decided', async () => {
    const pitches: (number | undefined)[] = [];
    const shows = ({ planes }: { planes: readonly { pitch: number }[] }) => {
      pitches.push(planes[0]?.pitch);
      return undefined;
    };
    const driver = display('vkms');
    const answer = await onCard({
      ...driver,
      ...(driver.display && { display: { ...driver.display, shows } }),
    });
    expect(answer).toEqual({ steps: [imported, { call: 'ADDFB2', said: 'accepted' }], takesTight: true });
    expect(pitches).toEqual([512, 400]);
  });

  it('says with which errno a framebuffer or a buffer is refused', async () => {
    const driver = display('vkms');
    const refusing = {
      ...driver,
      ...(driver.display && { display: { ...driver.display, shows: () => 'EINVAL' as const } }),
    };
    expect(await onCard(refusing)).toEqual({
      steps: [imported, { call: 'ADDFB2', said: 'refused', why: 'EINVAL' }],
    });
    expect(await onCard({ ...driver, imports: () => 'ENODEV' })).toEqual({
      steps: [{ call: 'PRIME_FD_TO_HANDLE', said: 'refused', why: 'ENODEV' }],
    });
  });
});

describe('tryOnQueue', () => {
  const answer = (bytesPerLine: number, size: number, width = 100): V4l2Image => ({
    fourcc: 'XR24',
    width,
    height: 10,
    planes: [{ bytesPerLine, size }],
  });

  async function onQueue(image: V4l2Image, more: Partial<FakeVideo> = {}, mayQueue = true) {
    const kernel = new FakeKernel({
      video: {
        video0: {
          driver: 'vim2m',
          card: 'vim2m',
          capabilities: V4L2_CAP.VIDEO_CAPTURE,
          queues: { capture: [{ fourcc: 'XR24', description: '', compressed: false }] },
          set: { capture: answer(7, 7) },
          tryFormat: () => image,
          ...more,
        },
      },
    });
    using buffer = await new FakeHeap('a').allocate(IMAGE.size);
    const node = kernel.memory.openNode(join(tree.root, 'dev/video0'));
    try {
      const [queue] = readQueues(kernel.v4l2, node.number, V4L2_CAP.VIDEO_CAPTURE);
      if (queue === undefined) throw new Error('no queue');
      const steps = await tryOnQueue(kernel.v4l2, node.number, queue, IMAGE, {
        dmaBuf: buffer.number,
        mayQueue,
      });
      return {
        steps: steps.map(({ call, said, why = '' }) => `${call} ${said} ${why}`.trim()),
        calls: kernel.calls,
      };
    } finally {
      node.close();
      expect(kernel.left).toEqual([]);
    }
  }

  it('has the driver look at the image, and queues the buffer; the format is set back', async () => {
    const { steps, calls } = await onQueue(answer(512, 5120));
    expect(steps).toEqual(['TRY_FMT accepted', 'QBUF accepted']);
    expect(calls.filter((call) => call.includes('S_FMT'))).toEqual([
      'video0 S_FMT capture 512',
      'video0 S_FMT capture 7',
    ]);
  });

  it('finds another pitch, and a buffer that is too small', async () => {
    expect((await onQueue(answer(400, 4000))).steps).toEqual(['TRY_FMT refused its pitch is 400']);
    expect((await onQueue(answer(512, 8192))).steps).toEqual(['TRY_FMT refused it needs 8192 bytes']);
  });

  it('tells nothing of a size that the driver does not make', async () => {
    expect((await onQueue(answer(512, 5120, 96))).steps).toEqual([
      'TRY_FMT untried the driver makes it 96 × 10',
    ]);
  });

  it('says with which errno a buffer is refused, and leaves alone what another process has', async () => {
    expect((await onQueue(answer(512, 5120), { takes: () => 'EFAULT' })).steps.at(-1)).toBe(
      'QBUF refused EFAULT',
    );
    expect((await onQueue(answer(512, 5120), { places: () => 'EBUSY' })).steps.at(-1)).toMatch(
      /^REQBUFS untried/,
    );
  });

  it('sets and queues nothing where that could disturb', async () => {
    const { steps, calls } = await onQueue(answer(512, 5120), {}, false);
    expect(steps.at(-1)).toMatch(/^QBUF untried/);
    expect(calls.filter((call) => /S_FMT|REQBUFS/.test(call))).toEqual([]);
  });
});
