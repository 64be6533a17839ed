import type { Accounts } from '../../dbus/accounts/account.js';
import { BrokerError } from '../../dbus/errors.js';
import { closeAll, type OwnedFd } from '../../dbus/owned-fd.js';
import type { Layout } from '../constraints/constraint-types.js';
import type { Ledger } from '../ledger/ledger.js';
import type { Reservation } from '../ledger/quotas.js';
import { payerOf } from '../ledger/ledger-types.js';
import type { Pool, PoolBuffer } from '../pools/pool.js';
import type { Owner, Sessions } from './broker-types.js';
import { askedOf, choosePools, isOpenTo, type Demand } from './choose.js';
import type { BrokerOptions } from './options.js';
import { pictureOf } from './picture.js';
import { callerOf } from './pool-access.js';
import { accessListsOf, type Snapshot } from './snapshot.js';
import { giveBack, take, type Provision } from './take.js';

/** Buffers that count against their owner. */
export interface Secured {
  readonly provision: Provision;
  readonly reservation: Reservation;
}

export interface BufferSourceOptions extends Pick<BrokerOptions, 'dmaBuf' | 'log'> {
  readonly ledger: Pick<Ledger, 'quotas'>;
  readonly sessions: Sessions;
  readonly accounts: Accounts;
}

/** Gets buffers for what was decided, within policy and quotas, and undoes what it did when that fails. */
export class BufferSource {
  readonly #options: BufferSourceOptions;
  /** Pools whose heap failed when it was last tried. */
  readonly #failing = new WeakSet<Pool>();

  constructor(options: BufferSourceOptions) {
    this.#options = options;
  }

  demand(owner: Owner, snapshot: Snapshot, layout: Layout, count: number): Demand {
    return {
      size: layout.size,
      fdSizes: layout.fdSizes,
      count,
      requester: { account: this.#options.accounts.of(payerOf(owner)), name: owner.name },
      pictureIn: (pool) => (snapshot.makesPictures(pool) ? pictureOf(layout) : undefined),
    };
  }

  /** Takes the buffers, and counts them against their owner. The caller records them or gives them back, and ends the count. */
  async provide(snapshot: Snapshot, owner: Owner, pools: readonly Pool[], demand: Demand): Promise<Secured> {
    const caller = await callerOf(owner, accessListsOf(pools, snapshot), this.#options.sessions);
    let choice = choosePools(pools, demand, caller, snapshot.handOut);
    if (!choice.ok) {
      const open = pools.filter((pool) => isOpenTo(pool, caller, snapshot.handOut));
      for (const pool of open) await pool.proveRoom(demand.size, demand.count, demand.requester);
      choice = choosePools(pools, demand, caller, snapshot.handOut);
    }
    if (!choice.ok) throw new BrokerError(choice.refusal.code, choice.refusal.text);
    const reservation = await this.#reserve(snapshot, owner, demand);
    try {
      const provision = await take(choice.pools, demand, (pool, error) => {
        this.#report(pool, error);
      });
      this.#failing.delete(provision.pool);
      this.settle(provision, reservation);
      return { provision, reservation };
    } catch (error) {
      reservation[Symbol.dispose]();
      throw error;
    }
  }

  async #reserve(snapshot: Snapshot, owner: Owner, demand: Demand): Promise<Reservation> {
    const { quotas } = this.#options.ledger;
    const reserved = await quotas.reserve(owner, askedOf(demand), snapshot.limitsOf(owner).limits);
    if (!reserved.ok) throw new BrokerError('QuotaExceeded', reserved.refusal);
    return reserved.reservation;
  }

  /** Heaps round up, which is known only now. */
  settle(provision: Provision, reservation: Reservation): void {
    const { buffers } = provision;
    const bytes = buffers.reduce((sum, buffer) => sum + buffer.bytes, 0n);
    const refusal = reservation.settle({ bytes, buffers: buffers.length });
    if (refusal === undefined) return;
    giveBack(provision);
    throw new BrokerError('QuotaExceeded', refusal);
  }

  /** Says it aloud once until the heap works again: clients ask as often as they like. */
  #report(pool: Pool, error: unknown): void {
    const { log } = this.#options;
    const details = { event: 'heap-failed', err: error, heap: pool.facts.id } as const;
    const text = 'a heap failed; the next is tried';
    if (this.#failing.has(pool)) log.debug(details, text);
    else log.warn(details, text);
    this.#failing.add(pool);
  }

  /** A label only helps a person to read the kernel's lists, so a request does not fail for want of one. */
  label({ pool, buffers }: Provision, label: string): void {
    if (label === '' || !pool.countsReferences) return;
    try {
      for (const { fd } of buffers) this.#options.dmaBuf.setName(fd.number, label);
    } catch (error) {
      this.#options.log.debug({ err: error }, 'a buffer could not be labelled');
    }
  }
}

/**
 * Descriptors of the buffers for their client; the caller's. The broker keeps its own.
 * @throws {BrokerError} Unavailable when the daemon has no descriptor left
 */
export function copies(buffers: readonly PoolBuffer[]): readonly OwnedFd[] {
  const made: OwnedFd[] = [];
  try {
    for (const { pool, fd } of buffers) made.push(pool.lender.lend(fd));
    return made;
  } catch (cause) {
    closeAll(made);
    throw new BrokerError('Unavailable', 'The service has no file descriptor left; try again later.', {
      cause,
    });
  }
}
