import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { readBusFacts } from '../../../daemon/devices/bus-facts.js';
import { KernelFiles } from '../../../daemon/devices/sysfs.js';
import { SysfsTree } from '../../tools/sysfs-tree.js';
import { naming } from '../../harness/naming.js';

const DEVICE = '/sys/devices/pci0000:00/0000:00:02.0';

let tree: SysfsTree;
let warnings: string[];
beforeEach(() => {
  tree = new SysfsTree().directory(DEVICE);
  warnings = [];
});
afterEach(() => {
  tree[Symbol.dispose]();
});

const read = (device = DEVICE) =>
  readBusFacts(new KernelFiles(tree.root, (text) => warnings.push(text)), device, []);

const group = (number: number, type: string, device = DEVICE): SysfsTree =>
  tree
    .files({ [`/sys/kernel/iommu_groups/${number}/type`]: `${type}\n` })
    .link(`${device}/iommu_group`, `/sys/kernel/iommu_groups/${number}`);

describe('readBusFacts', () => {
  it('knows nothing of a bare device', async () => {
    expect(await read()).toEqual({
      driver: undefined,
      compatible: [],
      iommu: { value: 'none', source: `kernel:${DEVICE}/iommu_group` },
    });
    expect(warnings).toEqual([]);
  });

  it('reads the driver, the device tree and the PCI id', async () => {
    tree
      .directory('/sys/bus/pci/drivers/i915')
      .link(`${DEVICE}/driver`, '/sys/bus/pci/drivers/i915')
      .link(`${DEVICE}/subsystem`, '/sys/bus/pci')
      .files({ [`${DEVICE}/vendor`]: '0x8086\n', [`${DEVICE}/device`]: '0x46a6\n' })
      .files({ [`${DEVICE}/of_node/compatible`]: 'a,gpu\0b,gpu\0' });
    expect(await read()).toMatchObject({ driver: 'i915', compatible: ['a,gpu', 'b,gpu'], pci: '8086:46a6' });
  });

  it('takes files of the same names on another bus for no PCI id', async () => {
    tree
      .directory('/sys/bus/virtio')
      .link(`${DEVICE}/subsystem`, '/sys/bus/virtio')
      .files({ [`${DEVICE}/vendor`]: '0x1af4\n', [`${DEVICE}/device`]: '0x0010\n' });
    expect(await read()).not.toHaveProperty('pci');
  });

  it.each(['DMA', 'DMA-FQ', 'identity', 'blocked'])('knows the IOMMU group type %s', async (type) => {
    group(7, type);
    expect((await read()).iommu).toEqual({ value: type, source: 'kernel:/sys/kernel/iommu_groups/7/type' });
  });

  it('finds the group of the device that this one is a part of', async () => {
    group(7, 'DMA');
    tree.directory(`${DEVICE}/part/of`).link('/sys/class/x/device', `${DEVICE}/part/of`);
    expect((await read('/sys/class/x/device')).iommu).toEqual({
      value: 'DMA',
      source: 'kernel:/sys/kernel/iommu_groups/7/type',
    });
  });

  it('counts a group whose type cannot be read as none', async () => {
    group(7, '\u0000!?');
    expect((await read()).iommu).toEqual({ value: 'none', source: 'kernel:/sys/kernel/iommu_groups/7/type' });
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain('/sys/kernel/iommu_groups/7/type');
  });

  it('warns of a mask that is no number and of links that lead nowhere, and keeps the rest', async () => {
    tree
      .link(`${DEVICE}/driver`, '/sys/bus/pci/drivers/gone')
      .files({ [`${DEVICE}/dma_mask_bits`]: 'banana\n' });
    const facts = await read();
    expect(facts.driver).toBeUndefined();
    expect(facts).not.toHaveProperty('dmaMaskBits');
    expect(warnings).toEqual([
      expect.stringMatching(naming(`${DEVICE}/dma_mask_bits`, '"banana"', 1, 64)),
      expect.stringMatching(naming(`${DEVICE}/driver`)),
    ]);
  });
});
