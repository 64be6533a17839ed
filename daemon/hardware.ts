import { readFile } from 'node:fs/promises';

import { mem } from 'systeminformation';

import type { Inventory } from './devices/inventory.js';
import { readPageSize } from './devices/page-size.js';
import { readInventory } from './devices/read-inventory.js';
import { KernelFiles } from './devices/sysfs.js';
import { FileTrialStore } from './devices/trials/file-store.js';
import type { TrialLog } from './devices/trials/log.js';
import { probe } from './devices/trials/probe.js';
import { RememberingStore } from './devices/trials/remembering-store.js';
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
  /** For what the machine becomes: what this start has tried already is remembered. */
  readonly tryOut: TryOut;
}

/**
 * Fills in what the kernel does not publish, with the heaps that policy lets be used at all.
 * @param heaps open (borrowed)
 * @param only nodes of the devices and heaps that are new; all of them when absent
 */
export type TryOut = (
  inventory: Inventory,
  heaps: readonly Heap[],
  policy: Policy,
  only?: ReadonlySet<string>,
) => Promise<Inventory>;

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
    // Its schema's library has three hundred modules, which would be most of what a start without a profile loads.
    const { inventoryFromProfile } = await import('./devices/profile/read.js');
    const { inventory } = inventoryFromProfile(await readFile(profile, 'utf8'), profile);
    return {
      inventory,
      heaps: inventory.heaps.map((heap) => profileHeap(heap, { kernel, pageSize })),
      refused: [],
      warnings,
      // Of a recorded machine there is nothing to try.
      tryOut: (recorded) => Promise.resolve(recorded),
    };
  }
  const published = await readInventory({ kernel, root, ram: async () => (await mem()).total });
  const { heaps, refused } = openHeaps(published.heaps, { kernel, root, pageSize });
  if (refused.length > 0) {
    warn(
      `${refused.length} of ${published.heaps.length} heaps cannot be used: the daemon's log says which and why`,
    );
  }
  const tryOut = trialsOf(options);
  try {
    return { inventory: await tryOut(published, heaps, options.policy), heaps, refused, warnings, tryOut };
  } catch (error) {
    for (const heap of heaps) heap.close();
    throw error;
  }
}

function trialsOf({ kernel, root, stateDir, log }: HardwareOptions): TryOut {
  const store = new RememberingStore(stateDir === undefined ? undefined : new FileTrialStore(stateDir, log));
  return (inventory, heaps, policy, only) => {
    const forbidden = new Set(
      inventory.heaps.filter((facts) => policy.heap(facts).use?.value === false).map(({ id }) => id),
    );
    return probe(inventory, {
      kernel,
      root,
      log,
      store,
      heaps: heaps.filter(({ id }) => !forbidden.has(id)),
      rules: (device) => policy.device(device),
      ...(only !== undefined && { only }),
    });
  };
}
