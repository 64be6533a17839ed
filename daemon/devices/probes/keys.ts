import { createHash } from 'node:crypto';
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
  const kind = posix.basename(node).replace(/\d+$/, '');
  const module = `${posix.join('/sys/class', subsystem, posix.basename(node))}/device/driver/module`;
  return key(
    ...[kind, driver, name, pci ?? '', compatible.join(), uses.join(), iommu.value, dmaMaskBits?.value ?? 64],
    (await files.text(`${module}/srcversion`)) ?? (await files.text(`${module}/version`)) ?? '',
    subsystem === 'video4linux' ? await hashOfParameters(files, `${module}/parameters`) : '',
  );
}

/** A test driver imports what its parameters say. DRM drivers have none that does that, but a hundred others. */
async function hashOfParameters(files: KernelFiles, path: string): Promise<string> {
  const names = await files.list(path);
  const values = await Promise.all(names.map((name) => files.text(`${path}/${name}`)));
  const text = names.map((name, i) => `${name}=${values[i] ?? ''}\n`).join('');
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

/**
 * What a heap's trials on a device depend on, besides the machine.
 * @param owner key of the device whose dumb buffers they are, `own` when it is the device itself; absent of other heaps
 */
export const heapKey = ({ kind, id, capacity, addressBits }: HeapFacts, owner?: string): string =>
  owner === undefined ? key(id, capacity?.value ?? 0n, addressBits?.value ?? 64) : `${key(kind)} of ${owner}`;

export const pairKey = (device: string, heap: string): string => `${device} < ${heap}`;

/** One text for each list of values, whatever is in them, that a person can read. */
const key = (...parts: readonly (string | number | bigint)[]): string =>
  parts.map((part) => String(part).replace(/[\s%<]|^-$/g, escaped) || '-').join(' ');

const escaped = (character: string): string => `%${character.charCodeAt(0).toString(16)}`;
