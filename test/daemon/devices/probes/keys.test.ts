import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { Device, HeapFacts } from '../../../../daemon/devices/inventory.js';
import { deviceKey, heapKey, machineKey, pairKey } from '../../../../daemon/devices/probes/keys.js';
import { KernelFiles } from '../../../../daemon/devices/sysfs.js';
import { device, heap } from '../../../tools/devices.js';
import { SysfsTree } from '../../../tools/sysfs-tree.js';
import { machine } from '../../machine.js';

const PCI = '/sys/devices/pci0000:00/0000:00:02.0';
let tree: SysfsTree;
beforeEach(() => {
  tree = new SysfsTree();
});
afterEach(() => {
  tree[Symbol.dispose]();
});
const keyOf = (of: Device): Promise<string> => deviceKey(new KernelFiles(tree.root, () => undefined), of);

describe('machineKey', () => {
  const known = machine().machine;
  const key = machineKey(known, 0n);

  it('is of the kernel, the RAM and the CMA memory, and not of what varies from start to start', () => {
    expect(machineKey({ ...known, ram: { value: 1n, source: 'kernel:test' } }, 0n)).toBe(key);
    const others = [
      machineKey({ ...known, kernel: '6.13.0' }, 0n),
      machineKey({ ...known, architecture: 'aarch64' }, 0n),
      machineKey({ ...known, ramTop: { value: 1n, source: 'kernel:test' } }, 0n),
      machineKey(known, 1n),
    ];
    expect(new Set([key, ...others]).size).toBe(others.length + 1);
  });
});

describe('deviceKey', () => {
  it('holds on the next start, when nodes have other numbers', async () => {
    const later = device({ node: '/dev/dri/card7', number: '226:7' });
    expect(await keyOf(later)).toBe(await keyOf(device()));
  });

  it.each<[string, Partial<Device>]>([
    ['driver', { driver: 'other' }],
    ['card', { pci: '1002:73bf' }],
    ['board', { compatible: ['brcm,bcm2711-vc5'] }],
    ['node', { node: '/dev/dri/renderD128' }],
    ['job', { uses: ['render'] }],
    ['IOMMU', { iommu: { value: 'DMA', source: 'kernel:x' } }],
    ['reach of addresses', { dmaMaskBits: { value: 32, source: 'kernel:x' } }],
  ])('is another with another %s', async (_, parts) => {
    expect(await keyOf(device(parts))).not.toBe(await keyOf(device()));
  });

  it('is another with another build of the driver', async () => {
    tree
      .drm('card0', '226:0', PCI)
      .link(`${PCI}/driver`, '/sys/bus/pci/drivers/gpu')
      .link('/sys/bus/pci/drivers/gpu/module', '/sys/module/gpu');
    const keys: string[] = [];
    for (const files of [{}, { version: '535.1' }, { version: '550.1' }, { srcversion: 'ABC' }]) {
      for (const [name, text] of Object.entries(files))
        tree.files({ [`/sys/module/gpu/${name}`]: `${text}\n` });
      keys.push(await keyOf(device()));
    }
    expect(new Set(keys).size).toBe(4);
  });

  it('is another with other parameters of a camera driver, however many there are', async () => {
    const camera = device({ node: '/dev/video0', subsystem: 'video4linux' });
    const parameters = '/sys/devices/platform/vivid.0/driver/module/parameters';
    tree.video('video0', '81:0', '/sys/devices/platform/vivid.0').files({
      [`${parameters}/allocators`]: `${'0,'.repeat(64)}0\n`,
      [`${parameters}/n_devs`]: '1\n',
    });
    const before = await keyOf(camera);
    tree.files({ [`${parameters}/allocators`]: `1,${'0,'.repeat(63)}0\n` });
    expect(await keyOf(camera)).not.toBe(before);
    expect(before.length).toBeLessThan(200);
  });
});

describe('heapKey and pairKey', () => {
  const system = heap('dma-heap:system');

  it.each<[string, Partial<HeapFacts>]>([
    ['name', { id: 'dma-heap:other' }],
    ['size', { capacity: { value: 1n, source: 'kernel:x' } }],
    ['place', { addressBits: { value: 32, source: 'kernel:x' } }],
  ])('is another with another %s', (_, parts) => {
    expect(heapKey({ ...system, ...parts })).not.toBe(heapKey(system));
  });

  it('knows dumb buffers by their device, and those of the device itself from those of one like it', () => {
    const [one, other] = [
      heap('drm-dumb:/dev/dri/card0', 'drm-dumb'),
      heap('drm-dumb:/dev/dri/card1', 'drm-dumb'),
    ];
    expect(heapKey(one, 'gpu')).toBe(heapKey(other, 'gpu'));
    expect(new Set([heapKey(one, 'gpu'), heapKey(one, 'own'), heapKey(one, 'display')]).size).toBe(3);
  });

  it('gives no two lists of values one text', async () => {
    const text = fc.string({ unit: fc.constantFrom('a', ' ', '-', '<', '%', '\n'), maxLength: 3 });
    const pair = fc.record({ driver: text, name: text, id: text });
    const textOf = async ({ id, ...parts }: { driver: string; name: string; id: string }) =>
      pairKey(await keyOf(device(parts)), heapKey({ ...system, id }));
    await fc.assert(
      fc.asyncProperty(pair, pair, async (a, b) => {
        expect((await textOf(a)) === (await textOf(b))).toBe(JSON.stringify(a) === JSON.stringify(b));
      }),
    );
  });
});
