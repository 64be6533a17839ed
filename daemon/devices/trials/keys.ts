import { posix } from 'node:path';

import type { Device, HeapFacts, Machine } from '../inventory.js';
import type { KernelFiles } from '../sysfs.js';

/** What all trials depend on: with another kernel, more RAM or other CMA memory they are made again. */
export const machineKey = ({ kernel, architecture, ramTop }: Machine, cmaTotal: bigint): string =>
  key(kernel, architecture, ramTop.value, cmaTotal);

/**
 * What a device's trials depend on, besides the machine. Not its node, which is another one after the next start, and not
 * its number. A driver that is built apart from the kernel has a version of its own.
 */
export async function deviceKey(files: KernelFiles, device: Device): Promise<string> {
  const { subsystem, driver, node, name, pci, compatible, uses, iommu, dmaMaskBits } = device;
  const kind = node.replace(/\d+$/, '');
  const classPath = posix.join('/sys/class', subsystem, posix.basename(node));
  const module = `${classPath}/device/driver/module`;
  return key(
    ...[kind, driver, name, pci ?? '', compatible.join(), uses.join(), iommu.value, dmaMaskBits?.value ?? 64],
    (await files.text(`${module}/srcversion`)) ?? (await files.text(`${module}/version`)) ?? '',
    subsystem === 'video4linux' ? await readParameters(files, `${module}/parameters`) : '',
  );
}

/** A test driver imports what its parameters say; DRM drivers have none that does that, and a hundred others. */
async function readParameters(files: KernelFiles, path: string): Promise<string> {
  const values: string[] = [];
  for (const name of await files.list(path))
    values.push(`${name}=${(await files.text(`${path}/${name}`)) ?? ''}`);
  return values.join(' ');
}

/** What a heap's trials depend on, besides the machine. @param owner key of the device whose dumb buffers it has */
export const heapKey = ({ kind, id, capacity, addressBits }: HeapFacts, owner: string | undefined): string =>
  owner === undefined ? key(kind, id, capacity?.value ?? 0n, addressBits?.value ?? 64) : key(kind, owner);

/** @param own whether the heap is the device's own memory */
export const pairKey = (device: string, heap: string, own: boolean): string =>
  key(device, heap, own ? 'own' : '');

/** One text for each list of values, whatever is in them. */
const key = (...parts: readonly (string | number | bigint)[]): string => JSON.stringify(parts.map(String));
