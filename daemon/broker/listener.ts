import { isDeepStrictEqual } from 'node:util';

import type { LedgerEvents } from '../ledger/ledger.js';
import type { Pool } from '../pools/pool.js';
import type { PoolChanges } from '../pools/pools.js';
import type { Log } from './options.js';
import type { AllocationView, BrokerEvents, DeviceView } from './types.js';

/** Tells whoever listens what changed; that one's failure does not become a failure of what it was told of. */
export class Listener implements LedgerEvents {
  readonly #log: Log;
  #events: BrokerEvents | undefined;

  constructor(log: Log) {
    this.#log = log;
  }

  listen(events: BrokerEvents): void {
    this.#events = events;
  }

  tell(what: (events: BrokerEvents) => void): void {
    if (this.#events === undefined) return;
    try {
      what(this.#events);
    } catch (error) {
      this.#log.warn({ err: error }, 'a change could not be announced');
    }
  }

  allocationAdded(view: AllocationView): void {
    this.tell((events) => {
      events.allocationAdded(view);
    });
  }

  allocationChanged(view: AllocationView): void {
    this.tell((events) => {
      events.allocationChanged(view);
    });
  }

  allocationRemoved(view: AllocationView): void {
    this.tell((events) => {
      events.allocationRemoved(view);
    });
  }

  poolsPlanned({ added, removed, changed }: PoolChanges): void {
    this.tell((events) => {
      for (const pool of removed) events.poolRemoved(pool.view());
      for (const pool of added) events.poolAdded(pool.view());
      for (const pool of changed) events.poolChanged(pool.view());
      events.totalsChanged();
    });
  }

  /** @param before the same devices, as they stood under the old policy */
  devicesRuled(before: readonly DeviceView[], now: readonly DeviceView[]): void {
    const old = new Map(before.map((view) => [view.device, view]));
    this.tell((events) => {
      for (const view of now) if (!isDeepStrictEqual(view, old.get(view.device))) events.deviceChanged(view);
    });
  }

  poolsUsed(pools: ReadonlySet<Pool>): void {
    for (const pool of pools) {
      this.tell((events) => {
        events.poolChanged(pool.view());
      });
    }
    this.tell((events) => {
      events.totalsChanged();
    });
  }
}
