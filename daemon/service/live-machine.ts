import { isDeepStrictEqual } from 'node:util';

import type { MachineState } from '../broker/options.js';
import type { Inventory } from '../devices/inventory.js';
import { carryOver, newcomers, replacedSince, without } from '../devices/inventory-change.js';
import { InventoryReader, type Reading } from '../devices/read-inventory.js';
import { displaysChanged, type Change } from '../devices/watch/change.js';
import type { Heap } from '../heaps/heap.js';
import { openHeaps, type OpenedHeaps } from '../heaps/open.js';
import type { Kernel } from '../kernel/kernel.js';
import type { Policy } from '../policy/policy.js';
import { sizeOfRam } from './ram.js';

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

export interface LiveMachineOptions {
  readonly kernel: Kernel;
  /** Put before every path that is read; empty for the machine itself. */
  readonly root: string;
  /** Bytes. */
  readonly pageSize: bigint;
  readonly tryOut: TryOut;
}

/** What came of looking at the machine. */
export interface Look {
  /** As it is now. */
  readonly state: MachineState;
  /**
   * What it was in between, when something took the place of another of the same name: neither is there. A caller that takes
   * over a state takes over this one before it, so that the two are never mistaken for one.
   */
  readonly between?: MachineState;
  /** Whether there is anything in it that was not so before. */
  readonly isNew: boolean;
  /** Heaps that could not be opened just now, and why. */
  readonly refused: OpenedHeaps['refused'];
  /** Nodes to look at again soon. */
  readonly unsettled: ReadonlySet<string>;
}

/** The machine that the daemon runs on. Each look asks only what is new since the last. */
export class LiveMachine {
  readonly #options: LiveMachineOptions;
  readonly #reader: InventoryReader;
  #last: { readonly reading: Reading; readonly state: MachineState } | undefined;

  constructor(options: LiveMachineOptions) {
    this.#options = options;
    const { kernel, root } = options;
    this.#reader = new InventoryReader({ kernel, root, ram: sizeOfRam });
  }

  /**
   * Heaps that are new are open in what it returns, and the caller's; those of the last look stay what they were, and one
   * that is not there any more is closed by the one who took it over. A look that fails changes nothing.
   */
  async look(change: Change, policy: Policy): Promise<Look> {
    const reading = await this.#reader.read(displaysChanged(change));
    const last = this.#last;
    const replaced = last === undefined ? NONE : replacedSince(last.reading, reading);
    const kept = this.#keptHeaps(reading.inventory, replaced);
    const { heaps: opened, refused } = this.#openMissing(reading.inventory, kept);
    try {
      const heaps = [...kept, ...opened];
      const inventory = await this.#tried(reading.inventory, replaced, heaps, policy);
      const state = { inventory, heaps, warnings: warningsOf(inventory, heaps) };
      this.#last = { reading, state };
      const look = { state, refused, unsettled: reading.unsettled };
      if (replaced.size === 0) return { ...look, isNew: !isDeepStrictEqual(last?.state, state) };
      const between = { ...state, inventory: without(inventory, replaced), heaps: kept };
      return { ...look, isNew: true, between };
    } catch (error) {
      for (const heap of opened) heap.close();
      throw error;
    }
  }

  async #tried(
    now: Inventory,
    replaced: ReadonlySet<string>,
    heaps: readonly Heap[],
    policy: Policy,
  ): Promise<Inventory> {
    const { tryOut } = this.#options;
    const before = this.#last?.state.inventory;
    if (before === undefined) return tryOut(now, heaps, policy);
    const inventory = carryOver(before, now, replaced);
    const only = newcomers(before, inventory, replaced);
    return only.size === 0 ? inventory : tryOut(inventory, heaps, policy, only);
  }

  /** Heaps of the last look that are still the same. */
  #keptHeaps({ heaps }: Inventory, replaced: ReadonlySet<string>): readonly Heap[] {
    const there = new Set(heaps.filter(({ usable }) => usable).map(({ id }) => id));
    return (this.#last?.state.heaps ?? []).filter(({ id }) => there.has(id) && !replaced.has(id));
  }

  #openMissing({ heaps }: Inventory, kept: readonly Heap[]): OpenedHeaps {
    const isOpen = new Set(kept.map(({ id }) => id));
    return openHeaps(
      heaps.filter(({ id }) => !isOpen.has(id)),
      this.#options,
    );
  }
}

const NONE: ReadonlySet<string> = new Set();

function warningsOf({ heaps: all }: Inventory, heaps: readonly Heap[]): readonly string[] {
  const closed = all.length - heaps.length;
  return closed === 0
    ? []
    : [`${closed} of ${all.length} heaps cannot be used: the daemon's log says which and why`];
}
