import { readFile } from 'node:fs/promises';

import { mem } from 'systeminformation';

import type { Inventory } from './devices/inventory.js';
import { readPageSize } from './devices/page-size.js';
import { readInventory } from './devices/read-inventory.js';
import { KernelFiles } from './devices/sysfs.js';
import type { Heap } from './heaps/heap.js';
import { openHeaps, profileHeap, type OpenedHeaps } from './heaps/open.js';
import type { Kernel } from './kernel/kernel.js';

/** What the broker works with: what is known of the machine, and its heaps, open. */
export interface Hardware {
  readonly inventory: Inventory;
  /** The caller closes them. */
  readonly heaps: readonly Heap[];
  /** Heaps that could not be opened, and why; for the log, because no client learns of a heap. */
  readonly refused: OpenedHeaps['refused'];
  /** For everybody. */
  readonly warnings: readonly string[];
}

export interface HardwareOptions {
  readonly kernel: Kernel;
  /** Put before every path that is read; empty for the machine itself. */
  readonly root: string;
  /** File with a recorded profile that stands in for the machine. */
  readonly profile: string | undefined;
}

/** @throws {Error} a profile that cannot be read or used */
export async function openHardware({ kernel, root, profile }: HardwareOptions): Promise<Hardware> {
  const warnings: string[] = [];
  const warn = (text: string): void => void warnings.push(text);
  // Of the running kernel, whatever the root: its pages are what memory is made of.
  const pageSize = await readPageSize(new KernelFiles('', warn));
  if (profile !== undefined) {
    // Its schema's library has three hundred modules, which would be most of what a start without a profile loads.
    const { inventoryFromProfile } = await import('./devices/profile/read.js');
    const { inventory } = inventoryFromProfile(await readFile(profile, 'utf8'), profile);
    return {
      inventory,
      heaps: inventory.heaps.map((heap) => profileHeap(heap, { kernel, pageSize })),
      refused: [],
      warnings,
    };
  }
  const inventory = await readInventory({ kernel, root, ram: async () => (await mem()).total });
  const { heaps, refused } = openHeaps(inventory.heaps, { kernel, root, pageSize });
  if (refused.length > 0) {
    warn(
      `${refused.length} of ${inventory.heaps.length} heaps cannot be used: the daemon's log says which and why`,
    );
  }
  return { inventory, heaps, refused, warnings };
}
