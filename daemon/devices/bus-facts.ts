import { posix } from 'node:path';

import { readMemoryRegion, readStrings, type ReservedMemory } from './device-tree.js';
import type { Fact } from './inventory.js';
import { kernelSource, type KernelFiles } from './sysfs.js';

/** What sysfs says of the device behind a node, whatever its subsystem. */
export interface BusFacts {
  readonly driver: string | undefined;
  readonly compatible: readonly string[];
  readonly pci?: string;
  readonly dmaMaskBits?: Fact<number>;
  readonly iommu: Fact<string>;
  readonly memoryRegion?: Fact<string>;
}

/** @param device its directory as the class knows it: `/sys/class/drm/card0/device` */
export async function readBusFacts(
  files: KernelFiles,
  device: string,
  reserved: readonly ReservedMemory[],
): Promise<BusFacts> {
  const pci = await readPciId(files, device);
  const maskPath = `${device}/dma_mask_bits`;
  const mask = await files.integer(maskPath, 1, 64);
  const region = await readMemoryRegion(files, device, reserved);
  return {
    driver: await files.linkName(`${device}/driver`),
    compatible: await readStrings(files, `${device}/of_node/compatible`),
    ...(pci !== undefined && { pci }),
    ...(mask !== undefined && { dmaMaskBits: { value: mask, source: kernelSource(maskPath) } }),
    iommu: await readIommu(files, device),
    ...(region && { memoryRegion: { value: region.memory.name, source: kernelSource(region.path) } }),
  };
}

/** Other buses have files of the same names (virtio's `vendor`), so the bus is asked first. */
async function readPciId(files: KernelFiles, device: string): Promise<string | undefined> {
  if ((await files.linkName(`${device}/subsystem`)) !== 'pci') return undefined;
  const id = (name: string): Promise<string | undefined> =>
    files.match(`${device}/${name}`, /^0x[0-9a-f]{4}$/, 'a PCI id');
  const [vendor, product] = [await id('vendor'), await id('device')];
  return vendor && product && `${vendor.slice(2)}:${product.slice(2)}`;
}

/**
 * A part of a larger device works through its parent's group (the display controller of an msm subsystem does). A
 * group whose type cannot be read counts as none, so that its translation is not relied on.
 */
async function readIommu(files: KernelFiles, device: string): Promise<Fact<string>> {
  const real = (await files.resolve(device)) ?? device;
  for (let path = real; path.startsWith('/sys/devices/'); path = posix.dirname(path)) {
    const group = await files.linkName(`${path}/iommu_group`);
    if (group === undefined) continue;
    const file = `/sys/kernel/iommu_groups/${group}/type`;
    const type = await files.match(file, /^[A-Za-z][A-Za-z-]{0,30}$/, 'a type of IOMMU domain');
    return { value: type ?? 'none', source: kernelSource(file) };
  }
  return { value: 'none', source: kernelSource(`${device}/iommu_group`) };
}
