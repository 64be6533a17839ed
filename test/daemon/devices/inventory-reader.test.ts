import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { Device, Inventory } from '../../../daemon/devices/inventory.js';
import { replacedSince } from '../../../daemon/devices/inventory-change.js';
import { InventoryReader, type Reading } from '../../../daemon/devices/read-inventory.js';
import { MEDIA_ENT_F_CAM_SENSOR, MEDIA_ENT_F_IO_V4L } from '../../../daemon/kernel/camera-structs.js';
import type { DrmConnector } from '../../../daemon/kernel/drm.js';
import { V4L2_CAP } from '../../../daemon/kernel/v4l2.js';
import { FakeKernel, type FakeDrivers } from '../../tools/fake-drivers.js';
import { SysfsTree } from '../../tools/sysfs-tree.js';

const GPU = '/sys/devices/gpu';
const CAMERA = '/sys/devices/camera';
/** SRGGB10_1X10. */
const RAW10 = 0x300f;

const monitor = (width: number): DrmConnector => ({
  name: 'HDMI-A-1',
  connected: true,
  modes: [{ name: '', width, height: 1000, refresh: 60, preferred: true }],
  encoder: 0,
});

const drivers = (connectors: DrmConnector[]) =>
  ({
    drm: {
      card0: {
        name: 'some-gpu',
        capabilities: { PRIME: 3n, DUMB_BUFFER: 1n },
        display: {
          crtcs: 1,
          max: 8192,
          planes: [{ possibleCrtcs: 1, formats: ['XR24'] }],
          connectors,
        },
      },
    },
    video: {
      video0: {
        driver: 'uvcvideo',
        card: 'Camera',
        capabilities: V4L2_CAP.VIDEO_CAPTURE,
        queues: { capture: [{ fourcc: 'YUYV', description: '', compressed: false }] },
      },
    },
    closed: {} as Record<string, 'EACCES' | 'ENODEV'>,
  }) satisfies FakeDrivers;

let tree: SysfsTree;
let connectors: DrmConnector[];
let machine: ReturnType<typeof drivers>;
let kernel: FakeKernel;
let reader: InventoryReader;
let last: Reading | undefined;

beforeEach(() => {
  tree = new SysfsTree()
    .memory('CmaTotal: 65536 kB\n')
    .drm('card0', '226:0', GPU)
    .video('video0', '81:0', CAMERA)
    .files({ '/dev/dma_heap/system': '', '/dev/dma_heap/reserved': '' });
  last = undefined;
  connectors = [monitor(1000)];
  machine = drivers(connectors);
  kernel = new FakeKernel(machine);
  reader = new InventoryReader({ root: tree.root, kernel, ram });
});
afterEach(() => {
  tree[Symbol.dispose]();
});

const ram = (): Promise<number> => Promise.reject(new Error('not the live machine'));

/** A reading, and the nodes that it opened. */
async function read(
  displaysChanged?: (node: string) => boolean,
): Promise<Reading & { readonly asked: string[]; readonly replaced: ReadonlySet<string> }> {
  kernel.asked.length = 0;
  const reading = await reader.read(displaysChanged);
  const replaced = last === undefined ? new Set<string>() : replacedSince(last, reading);
  last = reading;
  return { ...reading, asked: [...kernel.asked], replaced };
}

const remove = (path: string): void => {
  rmSync(join(tree.root, path), { recursive: true });
};
const device = ({ devices }: Inventory, node: string): Device | undefined =>
  devices.find((one) => one.node === node);
const heaps = ({ heaps }: Inventory): string[] => heaps.map(({ id }) => id);

describe('InventoryReader', () => {
  it('asks nobody twice, and says the same of them', async () => {
    const first = await read();
    expect(first.asked.toSorted()).toEqual(['card0', 'reserved', 'system', 'video0']);
    const second = await read();
    expect(second.asked).toEqual([]);
    expect(second.inventory).toEqual(first.inventory);
    second.inventory.devices.forEach((one, i) => {
      expect(one).toBe(first.inventory.devices[i]);
    });
    expect([second.replaced.size, second.unsettled.size]).toEqual([0, 0]);
  });

  // drm_ioctl.c of Linux 6.1, drm_getcap: import (1) and export (2) are said apart, and bochs has neither.
  it.each([
    [0n, false],
    [1n, false],
    [2n, true],
    [3n, true],
  ])('takes dumb buffers for a heap where they can be passed on: PRIME %i', async (prime, isHeap) => {
    machine.drm.card0.capabilities.PRIME = prime;
    const { inventory } = await read();
    expect(heaps(inventory).includes('drm-dumb:/dev/dri/card0')).toBe(isHeap);
  });

  it('asks a device that came, and it alone', async () => {
    const first = await read();
    tree.drm('renderD128', '226:128', GPU).video('video1', '81:1', '/sys/devices/other');
    machine.video = { ...machine.video, ...{ video1: machine.video.video0 } };
    const { inventory, asked } = await read();
    expect(asked).toEqual(['video1']);
    expect(inventory.devices.map(({ node }) => node)).toEqual([
      'cpu',
      '/dev/dri/card0',
      '/dev/video0',
      '/dev/video1',
    ]);
    expect(device(inventory, '/dev/dri/card0')?.otherNodes).toEqual(['/dev/dri/renderD128']);
    expect(device(inventory, '/dev/video0')).toBe(device(first.inventory, '/dev/video0'));
  });

  it('forgets what went, with the heap that its driver had', async () => {
    await read();
    for (const path of [
      '/sys/class/drm/card0',
      '/dev/dri/card0',
      '/sys/class/video4linux/video0',
      '/dev/video0',
    ])
      remove(path);
    const { inventory, asked, replaced, unsettled } = await read();
    expect(asked).toEqual([]);
    expect(inventory.devices.map(({ node }) => node)).toEqual(['cpu']);
    expect(heaps(inventory)).toEqual(['dma-heap:reserved', 'dma-heap:system', 'memfd']);
    expect([replaced.size, unsettled.size, inventory.warnings]).toEqual([0, 0, []]);
  });

  it('takes a node that is gone for a device that is going, though sysfs still has it', async () => {
    await read();
    remove('/dev/video0');
    const going = await read();
    expect(device(going.inventory, '/dev/video0')).toBeUndefined();
    expect([...going.unsettled]).toEqual(['/dev/video0']);
    remove('/sys/class/video4linux/video0');
    expect((await read()).unsettled.size).toBe(0);
  });

  it('asks what took the place of another, and says which device and heap that is', async () => {
    await read();
    for (const node of ['/dev/dri/card0', '/dev/dma_heap/reserved']) {
      remove(node);
      tree.files({ [node]: '' });
    }
    const { asked, replaced } = await read();
    expect(asked.toSorted()).toEqual(['card0', 'reserved']);
    expect([...replaced].toSorted()).toEqual(
      ['/dev/dri/card0', 'dma-heap:reserved', 'drm-dumb:/dev/dri/card0'].toSorted(),
    );
  });

  it('asks again what it could not, until it can', async () => {
    Object.assign(machine.closed, { video0: 'EACCES', system: 'EACCES' });
    const first = await read();
    expect([...first.unsettled].toSorted()).toEqual(['/dev/dma_heap/system', '/dev/video0']);
    expect(first.inventory.warnings).toHaveLength(2);
    const again = await read();
    expect(again.asked.toSorted()).toEqual(['system', 'video0']);
    expect(again.inventory.warnings).toEqual(first.inventory.warnings);
    machine.closed = {};
    // The permission came: the file is the same, and nothing is replaced.
    chmodSync(join(tree.root, '/dev/video0'), 0o640);
    const { inventory, replaced, unsettled } = await read();
    expect(device(inventory, '/dev/video0')?.uses).toEqual(['capture']);
    expect([inventory.warnings, replaced.size, unsettled.size]).toEqual([[], 0, 0]);
  });

  it('does not take new permissions for a new device', async () => {
    await read();
    chmodSync(join(tree.root, '/dev/video0'), 0o600);
    chmodSync(join(tree.root, '/dev/dri/card0'), 0o640);
    const { asked, replaced } = await read();
    expect([asked, replaced.size]).toEqual([[], 0]);
  });

  it('asks a display again when it may have changed, and for its modes alone', async () => {
    const first = await read();
    connectors[0] = monitor(2000);
    expect(device((await read()).inventory, '/dev/dri/card0')?.modes[0]?.width).toBe(1000);
    kernel.calls.length = 0;
    const { inventory, asked, replaced } = await read((node) => node === '/dev/dri/card0');
    expect([asked, replaced.size]).toEqual([['card0'], 0]);
    expect(kernel.calls[0]).toBe('card0 open');
    expect(kernel.calls).not.toContain('card0 planes');
    const [before, now] = [first.inventory, inventory].map((one) => device(one, '/dev/dri/card0'));
    expect(now).toEqual({ ...before, modes: [expect.objectContaining({ width: 2000 })] });
    // The same modes once more make no other device.
    const same = await read(() => true);
    expect(device(same.inventory, '/dev/dri/card0')).toBe(now);
    expect(device((await read()).inventory, '/dev/dri/card0')).toBe(now);
  });

  it('keeps the modes of a display that cannot be asked any more', async () => {
    await read();
    machine.drm = {} as typeof machine.drm;
    expect(device((await read(() => true)).inventory, '/dev/dri/card0')?.modes[0]?.width).toBe(1000);
  });

  it('asks for sensors once, and again when one more came', async () => {
    const sensor = (name: string, number: string) => ({ name, type: MEDIA_ENT_F_CAM_SENSOR, number });
    const part = (index: number): SysfsTree =>
      tree
        .files({ [`/sys/devices/i2c/v4l-subdev${index}/dev`]: '', [`/dev/v4l-subdev${index}`]: '' })
        .link(`/sys/dev/char/81:${10 + index}`, `/sys/devices/i2c/v4l-subdev${index}`);
    machine.video.video0.queues.capture.push({ fourcc: 'RG10', description: '', compressed: false });
    const entities = [{ name: 'a node', type: MEDIA_ENT_F_IO_V4L, number: '81:0' }, sensor('first', '81:10')];
    const sensors = {
      'v4l-subdev0': [{ code: RAW10, width: 640, height: 480 }],
      'v4l-subdev1': [{ code: RAW10, width: 1280, height: 960 }],
    };
    kernel = new FakeKernel({ ...machine, media: { media0: entities }, sensors });
    reader = new InventoryReader({ root: tree.root, kernel, ram });
    part(0).files({ '/dev/media0': '' });
    const names = ({ inventory }: Reading): unknown =>
      device(inventory, '/dev/video0')?.pictures?.map(({ camera }) => camera);
    const first = await read();
    expect(first.asked).toEqual(expect.arrayContaining(['media0', 'v4l-subdev0']));
    expect(names(first)).toEqual(['first']);
    const second = await read();
    expect(second.asked).toEqual([]);
    expect(device(second.inventory, '/dev/video0')).toBe(device(first.inventory, '/dev/video0'));
    entities.push(sensor('second', '81:11'));
    part(1);
    const third = await read();
    expect(third.asked).toEqual(['media0', 'v4l-subdev0', 'v4l-subdev1']);
    expect(names(third)).toEqual(['first', 'second']);
    expect(third.replaced.size).toBe(0);
  });

  it('reads of the machine itself only once', async () => {
    await read();
    writeFileSync(join(tree.root, '/proc/meminfo'), 'MemTotal: 5 kB\n');
    const { inventory } = await read();
    expect(inventory.machine.ram.value).toBe(1_024_000_000n);
  });
});
