import type { Kernel } from '../kernel/kernel.js';
import { CPU_DEVICE } from './cpu.js';
import { readReservedMemory } from './device-tree.js';
import { readDrm } from './drm-facts.js';
import { readCmaRegions, readHeaps } from './heap-facts.js';
import type { Inventory } from './inventory.js';
import { readMachine } from './machine-facts.js';
import { MEMFD_HEAP } from './memfd-heap.js';
import { readMemory, type RamReader } from './memory-facts.js';
import { KernelFiles } from './sysfs.js';
import { readV4l2 } from './v4l2-facts.js';

export interface InventoryOptions {
  /** Put before /sys, /dev and /proc; empty (or `/`) on the live machine. */
  readonly root: string;
  readonly kernel: Pick<Kernel, 'memory' | 'drm' | 'v4l2'>;
  /** Bytes of RAM of the live machine. */
  readonly ram: RamReader;
}

/**
 * Reads what the kernel says of this machine: facts alone, without policy and without trials (`trials/probe.ts`). What cannot be
 * read is a warning with the name of the file, and never an error.
 */
export async function readInventory({ root, kernel, ram }: InventoryOptions): Promise<Inventory> {
  const warnings: string[] = [];
  const files = new KernelFiles(root, (text) => warnings.push(text));
  const isLive = /^\/*$/.test(root);
  const memory = await readMemory(files, ram, isLive);
  const reserved = await readReservedMemory(files);
  const evidence = {
    reserved,
    regions: await readCmaRegions(files, memory.pageSize),
  };
  const drm = await readDrm(files, kernel.drm, reserved);
  const video = await readV4l2(files, kernel, reserved);
  return {
    machine: await readMachine(files, memory),
    devices: [CPU_DEVICE, ...drm.devices, ...video],
    heaps: [...(await readHeaps(files, kernel.memory, evidence, memory.cmaTotal)), ...drm.heaps, MEMFD_HEAP],
    reach: [],
    warnings,
  };
}
