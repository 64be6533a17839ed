import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { findDevice } from '../../../daemon/devices/inventory.js';
import { readInventory } from '../../../daemon/devices/read-inventory.js';
import { V4L2_CAP } from '../../../daemon/kernel/v4l2.js';
import { FakeKernel } from '../../tools/fake-drivers.js';
import { SysfsTree } from '../../tools/sysfs-tree.js';

const GPU = '/sys/devices/pci0000:00/0000:00:02.0';
const BROKEN = '/sys/devices/platform/broken';

let tree: SysfsTree;
beforeEach(() => {
  tree = new SysfsTree();
});
afterEach(() => {
  tree[Symbol.dispose]();
});

const read = (kernel = new FakeKernel()) =>
  readInventory({
    root: tree.root,
    kernel,
    ram: async () => Promise.reject(new Error('not the live machine')),
  });

const machine = (): SysfsTree =>
  tree
    .memory('CmaTotal: 65536 kB\n')
    .drm('card0', '226:0', GPU)
    .drm('renderD128', '226:128', GPU)
    .video('video0', '81:0', '/sys/devices/platform/csi')
    .files({
      [`${GPU}/dma_mask_bits`]: '39\n',
      '/dev/dma_heap/system': '',
      '/dev/dma_heap/reserved': '',
      '/sys/class/dmi/id/sys_vendor': 'Maker\n',
      '/sys/class/dmi/id/product_name': 'Model 1\n',
    });

const drivers = {
  drm: { card0: { name: 'some-gpu', capabilities: { PRIME: 3n, DUMB_BUFFER: 1n } } },
  video: {
    video0: {
      driver: 'csi',
      card: 'CSI',
      capabilities: V4L2_CAP.VIDEO_CAPTURE,
      queues: { capture: [{ fourcc: 'NV12', description: '', compressed: false }] },
    },
  },
};

describe('readInventory', () => {
  it('makes one value of everything', async () => {
    machine();
    const inventory = await read(new FakeKernel(drivers));
    expect(inventory.warnings).toEqual([]);
    expect(inventory.machine).toMatchObject({
      name: 'Maker Model 1',
      architecture: 'x86_64',
      kernel: '6.12.0',
    });
    expect(inventory.devices.map(({ node }) => node)).toEqual(['cpu', '/dev/dri/card0', '/dev/video0']);
    expect(inventory.heaps.map(({ id, class: { value } }) => [id, value])).toEqual([
      ['dma-heap:reserved', 'scattered'],
      ['dma-heap:system', 'scattered'],
      ['drm-dumb:/dev/dri/card0', 'device'],
      ['memfd', 'plain'],
    ]);
    expect(inventory.reach).toEqual([]);
    for (const name of ['/dev/dri/card0', '226:0', '/dev/dri/renderD128', '226:128'])
      expect(findDevice(inventory, name)?.node).toBe('/dev/dri/card0');
  });

  it('finds cpu and plain memory where there is nothing else', async () => {
    tree.memory();
    const inventory = await read();
    expect(inventory.devices.map(({ node }) => node)).toEqual(['cpu']);
    expect(inventory.heaps.map(({ id }) => id)).toEqual(['memfd']);
    expect(inventory.warnings).toEqual([]);
  });

  it('reads an empty directory too', async () => {
    const inventory = await read();
    expect(inventory.machine).toMatchObject({ name: 'unknown', architecture: 'unknown', kernel: 'unknown' });
    expect(inventory.devices.map(({ node }) => node)).toEqual(['cpu']);
  });

  it('names every file that it cannot use, and works with the rest', async () => {
    machine()
      .drm('card1', 'banana', BROKEN)
      .drm('card2', '', `${BROKEN}2`)
      .drm('card3', '226:3', `${BROKEN}3`)
      .link('/sys/class/drm/card4', '/sys/devices/gone')
      .video('video1', '81:1', `${BROKEN}4`)
      .directory(`${BROKEN}3/dma_mask_bits`)
      .files({
        '/sys/class/drm/card5': 'a file where a link should be',
        '/sys/class/drm/version': 'drm 1.1.0 20060810',
        [`${BROKEN}4/dma_mask_bits`]: Buffer.alloc(1_000_000, '9'),
        [`${BROKEN}4/of_node/compatible`]: Buffer.from([0xff, 0x00]),
        '/sys/class/video4linux/video2/dev': '81:2:3\n',
        '/sys/kernel/mm/cma/reserved/total_pages': 'many\n',
      });
    const inventory = await read(new FakeKernel(drivers));
    expect(inventory.devices.map(({ node }) => node)).toEqual([
      'cpu',
      '/dev/dri/card0',
      '/dev/dri/card3',
      '/dev/video0',
      '/dev/video1',
    ]);
    const files = inventory.warnings.map((text) => text.split(': ')[0]);
    expect(files.toSorted()).toEqual(
      [
        '/sys/class/drm/card1/dev',
        '/sys/class/drm/card2/dev',
        '/sys/class/drm/card4/dev',
        '/sys/class/drm/card5/dev',
        '/sys/class/drm/card3/device/dma_mask_bits',
        '/dev/dri/card3',
        '/sys/class/video4linux/video1/device/dma_mask_bits',
        '/sys/class/video4linux/video1/device/of_node/compatible',
        '/dev/video1',
        '/sys/class/video4linux/video2/dev',
        '/sys/kernel/mm/cma/reserved/total_pages',
      ].toSorted(),
    );
    // Of the same memory the total is still known.
    expect(inventory.heaps[0]).toMatchObject({
      id: 'dma-heap:reserved',
      class: { value: 'contiguous' },
      capacity: { value: 65_536n * 1024n },
    });
  });
});
