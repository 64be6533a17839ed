import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { readBoard, readMemoryRegion, readReservedMemory } from '../../../daemon/devices/device-tree.js';
import { KernelFiles } from '../../../daemon/devices/sysfs.js';
import { SysfsTree } from '../../tools/sysfs-tree.js';
import { naming } from '../../harness/naming.js';

const BASE = '/sys/firmware/devicetree/base';
const RESERVED = `${BASE}/reserved-memory`;

let tree: SysfsTree;
let warnings: string[];
let files: KernelFiles;
beforeEach(() => {
  tree = new SysfsTree();
  warnings = [];
  files = new KernelFiles(tree.root, (text) => warnings.push(text));
});
afterEach(() => {
  tree[Symbol.dispose]();
});

/** A property of big-endian cells. */
function cells(...values: readonly number[]): Buffer {
  const buffer = Buffer.alloc(4 * values.length);
  for (const [i, value] of values.entries()) buffer.writeUInt32BE(value, 4 * i);
  return buffer;
}

const board = (): SysfsTree =>
  tree.files({
    [`${RESERVED}/#address-cells`]: cells(2),
    [`${RESERVED}/#size-cells`]: cells(2),
    [`${RESERVED}/name`]: 'reserved-memory\0',
    [`${RESERVED}/linux,cma/size`]: cells(0, 0x2000_0000),
    [`${RESERVED}/linux,cma/alloc-ranges`]: cells(0, 0, 0, 0x3000_0000),
    [`${RESERVED}/linux,cma/phandle`]: cells(7),
    [`${RESERVED}/linux,cma/reusable`]: '',
    [`${RESERVED}/video@140000000/reg`]: cells(1, 0x4000_0000, 0, 0x100_0000),
    [`${RESERVED}/video@140000000/phandle`]: cells(8),
  });

describe('the device tree', () => {
  it('names the board', async () => {
    tree.files({ [`${BASE}/model`]: 'A Board\0', [`${BASE}/compatible`]: 'vendor,board\0vendor,chip\0' });
    expect(await readBoard(files)).toEqual({ model: 'A Board', compatible: ['vendor,board', 'vendor,chip'] });
  });

  it('is absent on most machines', async () => {
    expect(await readBoard(files)).toEqual({ model: undefined, compatible: [] });
    expect(await readReservedMemory(files)).toEqual([]);
    expect(warnings).toEqual([]);
  });

  it('tells what was set aside, how much of it and where', async () => {
    board();
    expect(await readReservedMemory(files)).toEqual([
      {
        name: 'linux,cma',
        path: `${RESERVED}/linux,cma`,
        phandle: 7,
        size: 0x2000_0000n,
        top: 0x3000_0000n,
        reusable: true,
      },
      {
        name: 'video@140000000',
        path: `${RESERVED}/video@140000000`,
        phandle: 8,
        size: 0x100_0000n,
        top: 0x1_4100_0000n,
        reusable: false,
      },
    ]);
    expect(warnings).toEqual([]);
  });

  it('leads from a device to its memory', async () => {
    board().files({ '/sys/devices/vpu/of_node/memory-region': cells(8, 7) });
    const reserved = await readReservedMemory(files);
    const region = await readMemoryRegion(files, '/sys/devices/vpu', reserved);
    expect(region?.memory.name).toBe('video@140000000');
    expect(region?.path).toBe('/sys/devices/vpu/of_node/memory-region');
    expect(await readMemoryRegion(files, '/sys/devices/other', reserved)).toBeUndefined();
  });

  it('warns of a memory-region that names no node, and of one that is no list of cells', async () => {
    board().files({
      '/sys/devices/a/of_node/memory-region': cells(99),
      '/sys/devices/b/of_node/memory-region': 'abc',
    });
    const reserved = await readReservedMemory(files);
    expect(await readMemoryRegion(files, '/sys/devices/a', reserved)).toBeUndefined();
    expect(await readMemoryRegion(files, '/sys/devices/b', reserved)).toBeUndefined();
    expect(warnings).toEqual([
      expect.stringMatching(naming('/sys/devices/a/of_node/memory-region', '/reserved-memory')),
      expect.stringMatching(naming('/sys/devices/b/of_node/memory-region')),
    ]);
  });

  it('bears numbers of cells that make no sense', async () => {
    board().files({
      [`${RESERVED}/#address-cells`]: cells(0xffff_ffff),
      [`${RESERVED}/#size-cells`]: cells(0),
    });
    const [cma, video] = await readReservedMemory(files);
    expect(cma).toMatchObject({ name: 'linux,cma', size: undefined, top: undefined });
    expect(video).toMatchObject({ name: 'video@140000000', size: undefined, top: undefined });
  });
});
