import { isDeepStrictEqual } from 'node:util';

import type { LedgerEvents } from '../ledger/ledger.js';
import type { WarningLog } from '../base/log.js';
import type { Pool } from '../pools/pool.js';
import type { PoolChanges } from '../pools/pools.js';
import type { Heap } from '../heaps/heap.js';
import type { AllocationView, BrokerEvents, DeviceView } from './broker-types.js';
import type { PartyEvents, PartyView } from './parties/party-types.js';

/** Tells listeners what changed; a listener's failure does not fail the change itself. */
export class Notifier implements LedgerEvents, PartyEvents {
  readonly #log: WarningLog;
  readonly #isListed: (pool: Pool) => boolean;
  readonly #listeners: Partial<BrokerEvents>[] = [];

  /** @param isListed whether a pool is one that anybody knows of */
  constructor(log: WarningLog, isListed: (pool: Pool) => boolean) {
    this.#log = log;
    this.#isListed = isListed;
  }

  listen(events: Partial<BrokerEvents>): void {
    this.#listeners.push(events);
  }

  tell(what: (events: Partial<BrokerEvents>) => void): void {
    for (const events of this.#listeners) {
      try {
        what(events);
      } catch (error) {
        this.#log.warn({ event: 'change-untold', err: error }, 'a change could not be announced');
      }
    }
  }

  allocationAdded(view: AllocationView): void {
    this.tell((events) => {
      events.allocationAdded?.(view);
    });
  }

  allocationChanged(view: AllocationView): void {
    this.tell((events) => {
      events.allocationChanged?.(view);
    });
  }

  allocationRemoved(view: AllocationView): void {
    this.tell((events) => {
      events.allocationRemoved?.(view);
    });
  }

  partyAdded(view: PartyView): void {
    this.tell((events) => {
      events.partyAdded?.(view);
    });
  }

  partyChanged(view: PartyView): void {
    this.tell((events) => {
      events.partyChanged?.(view);
    });
  }

  partyRemoved(view: PartyView): void {
    this.tell((events) => {
      events.partyRemoved?.(view);
    });
  }

  poolsPlanned({ added, removed, changed }: PoolChanges): void {
    this.tell((events) => {
      for (const pool of removed) events.poolRemoved?.(pool.view());
      for (const pool of added) events.poolAdded?.(pool.view());
      for (const pool of changed) events.poolChanged?.(pool.view());
      events.totalsChanged?.();
    });
  }

  /** @param before the devices that there were, as they stood under the old policy and with the old pools */
  devicesPlanned(before: readonly DeviceView[], now: readonly DeviceView[]): void {
    const old = byNode(before);
    const present = byNode(now);
    this.tell((events) => {
      for (const [node, view] of old) if (!present.has(node)) events.deviceRemoved?.(view);
      for (const [node, view] of present) {
        const known = old.get(node);
        if (known === undefined) events.deviceAdded?.(view);
        else if (!isDeepStrictEqual(view, known)) events.deviceChanged?.(view);
      }
    });
  }

  poolChanged(pool: Pool): void {
    if (!this.#isListed(pool)) return;
    this.tell((events) => {
      events.poolChanged?.(pool.view());
    });
  }

  poolsUsed(pools: ReadonlySet<Pool>): void {
    for (const pool of pools) this.poolChanged(pool);
    this.tell((events) => {
      events.totalsChanged?.();
    });
  }
}

const byNode = (views: readonly DeviceView[]): ReadonlyMap<string, DeviceView> =>
  new Map(views.map((view) => [view.device.node, view]));

/** Remembers which pools were closed because their memory is gone, for as long as it is. */
export class ClosedPools {
  readonly #log: WarningLog;
  /** By heap id. */
  readonly #texts = new Map<string, string>();

  constructor(log: WarningLog) {
    this.#log = log;
  }

  /** For everybody, and therefore without the heap's name. */
  get warnings(): readonly string[] {
    return [...this.#texts.values()];
  }

  /** @param heaps that there are now: memory that came back is not gone any more */
  update(closed: readonly Pool[], heaps: readonly Heap[]): void {
    for (const { handle, class: memoryClass, facts } of closed) {
      const pool = `the pool ${handle} of ${memoryClass} memory was closed`;
      this.#texts.set(facts.id, `${pool}: its memory is gone from this machine`);
      this.#log.warn({ event: 'heap-gone', heap: facts.id }, `${pool}: the heap ${facts.id} is gone`);
    }
    for (const { id } of heaps) this.#texts.delete(id);
  }
}
