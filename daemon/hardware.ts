import { readFile } from 'node:fs/promises';

import { mem } from 'systeminformation';

import type { Inventory } from './devices/inventory.js';
import { readPageSize } from './devices/page-size.js';
import { inventoryFromProfile } from './devices/profile/read.js';
import { readInventory } from './devices/read-inventory.js';
import { KernelFiles } from './devices/sysfs.js';
import { FileTrialStore } from './devices/trials/file-store.js';
import type { TrialLog } from './devices/trials/log.js';
import { probe } from './devices/trials/probe.js';
import type { Heap } from './heaps/heap.js';
import { openHeaps, profileHeap, type OpenedHeaps } from './heaps/open.js';
import type { Kernel } from './kernel/kernel.js';
import type { Policy } from './policy/policy.js';

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
  /** Says what may be tried. */
  readonly policy: Policy;
  /** Where it is kept what trials showed; nowhere when absent. */
  readonly stateDir?: string | undefined;
  readonly log: TrialLog;
}

/** @throws {Error} a profile that cannot be read or used */
export async function openHardware(options: HardwareOptions): Promise<Hardware> {
  const { kernel, root, profile } = options;
  const warnings: string[] = [];
  const warn = (text: string): void => void warnings.push(text);
  // Of the running kernel, whatever the root: its pages are what memory is made of.
  const pageSize = await readPageSize(new KernelFiles('', warn));
  if (profile !== undefined) {
    const { inventory } = inventoryFromProfile(await readFile(profile, 'utf8'), profile);
    return {
      inventory,
      heaps: inventory.heaps.map((heap) => profileHeap(heap, { kernel, pageSize })),
      refused: [],
      warnings,
    };
  }
  const published = await readInventory({ kernel, root, ram: async () => (await mem()).total });
  const { heaps, refused } = openHeaps(published.heaps, { kernel, root, pageSize });
  if (refused.length > 0) {
    warn(
      `${refused.length} of ${published.heaps.length} heaps cannot be used: the daemon's log says which and why`,
    );
  }
  try {
    return { inventory: await tryOut(published, heaps, options), heaps, refused, warnings };
  } catch (error) {
    for (const heap of heaps) heap.close();
    throw error;
  }
}

/** The inventory with what the kernel does not publish, from heaps that policy lets be used at all. */
function tryOut(
  inventory: Inventory,
  heaps: readonly Heap[],
  { kernel, root, policy, stateDir, log }: HardwareOptions,
): Promise<Inventory> {
  const forbidden = new Set(
    inventory.heaps.filter((facts) => policy.heap(facts).use?.value === false).map(({ id }) => id),
  );
  return probe(inventory, {
    kernel,
    root,
    log,
    heaps: heaps.filter(({ id }) => !forbidden.has(id)),
    rules: (device) => policy.device(device),
    ...(stateDir !== undefined && { store: new FileTrialStore(stateDir, log) }),
  });
}
