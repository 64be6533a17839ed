import type { Pool, PoolBuffer } from '../pools/pool.js';
import type { Clock, Later } from '../base/time.js';
import { Allocation, type AllocationTerms } from './allocation.js';
import { NO_ALLOCATION_LOG, type AllocationLog } from './allocation-log.js';
import { Orphans, type Orphan } from './orphans.js';
import { Quotas } from './quotas.js';
import { payerOf, type AllocationView, type Owner } from './ledger-types.js';
import { Usage } from './usage.js';

/** What changed, as it changes. */
export interface LedgerEvents {
  allocationAdded(view: AllocationView): void;
  allocationChanged(view: AllocationView): void;
  allocationRemoved(view: AllocationView): void;
  /** Buffers of these pools came or went. */
  poolsUsed(pools: ReadonlySet<Pool>): void;
}

export interface LedgerOptions {
  /** So many random bytes in hexadecimal. */
  readonly randomHex: (bytes: number) => string;
  /** Microseconds since the epoch. */
  readonly now: () => bigint;
  readonly later: Later;
  readonly clock: Clock;
  /** Whether anything but the broker has the buffer; undefined when that cannot be told. */
  readonly inUse: (buffer: PoolBuffer) => boolean | undefined;
  readonly events: LedgerEvents;
  /** Records what happens; nothing does when absent. */
  readonly allocationLog?: AllocationLog;
}

/** An allocation that an earlier start of the daemon recorded. */
export interface EarlierAllocation {
  readonly id: string;
  readonly created: bigint;
  readonly terms: AllocationTerms;
  readonly held: readonly PoolBuffer[];
  /** What of that the owner may not have been sent. */
  readonly undelivered: readonly PoolBuffer[];
  readonly orphaned: readonly PoolBuffer[];
}

/** Bytes of an allocation's id, which cannot be guessed. */
const ID_BYTES = 16;

/**
 * Who holds what. Buffers that are recorded here are the ledger's: it gives them back to their pools when nothing holds
 * them any more.
 */
export class Ledger {
  readonly #options: LedgerOptions;
  readonly #allocationLog: AllocationLog;
  readonly #orphans: Orphans;
  readonly #allocations = new Map<string, Allocation>();
  /** All of a connection that are not over. */
  readonly #byOwner = new Map<string, Set<Allocation>>();
  readonly #usage = new Usage();
  /** What counts against each user, client and unit: all that is recorded here until it is gone, and what is being made. */
  readonly quotas: Quotas;
  #liveBytes = 0n;
  #liveBuffers = 0;

  constructor(options: LedgerOptions) {
    this.#options = options;
    const { inUse, later, clock, allocationLog = NO_ALLOCATION_LOG } = options;
    this.#allocationLog = allocationLog;
    this.#orphans = new Orphans({ inUse, later, clock, saw: this.#saw.bind(this) });
    this.quotas = new Quotas(this.#usage, (uid) =>
      this.#orphans.recheck(({ allocation }) => payerOf(allocation.terms.owner) === uid),
    );
  }

  /** Bytes of all buffers that have a holder. */
  get liveBytes(): bigint {
    return this.#liveBytes;
  }

  get liveBuffers(): number {
    return this.#liveBuffers;
  }

  views(): readonly AllocationView[] {
    return [...this.#allocations.values()].map((allocation) => allocation.view());
  }

  /** An allocation that its owner still holds. */
  held(id: string): Allocation | undefined {
    const allocation = this.#allocations.get(id);
    return allocation?.state === 'held' ? allocation : undefined;
  }

  /** Takes the buffers as a new allocation. */
  record(terms: AllocationTerms, buffers: readonly PoolBuffer[]): Allocation {
    const allocation = new Allocation(this.#options.randomHex(ID_BYTES), terms, this.#options.now());
    this.#own(allocation);
    this.#hold(allocation, buffers);
    for (const buffer of buffers) allocation.undelivered.add(buffer);
    this.#allocationLog.held(allocation);
    this.#allocationLog.flush();
    this.#options.events.allocationAdded(allocation.view());
    this.#options.events.poolsUsed(new Set([terms.pool]));
    return allocation;
  }

  /** Takes more buffers for an allocation that is held. */
  grow(allocation: Allocation, buffers: readonly PoolBuffer[]): void {
    this.#hold(allocation, buffers);
    for (const buffer of buffers) allocation.undelivered.add(buffer);
    this.#allocationLog.grown(allocation, buffers);
    this.#allocationLog.flush();
    this.#options.events.allocationChanged(allocation.view());
    this.#options.events.poolsUsed(new Set([allocation.terms.pool]));
  }

  /** The owner was sent these buffers of the allocation. */
  delivered(allocation: Allocation, buffers: readonly PoolBuffer[]): void {
    for (const buffer of buffers) allocation.undelivered.delete(buffer);
    this.#allocationLog.delivered(allocation, buffers);
    // At once: a daemon that dies before does not know whether anybody has them.
    this.#allocationLog.flush();
  }

  /** The owner is done with the allocation. */
  release(allocation: Allocation): void {
    this.#orphans.add(this.#leave(allocation, allocation.held));
    this.#allocationLog.flush();
  }

  /** The owner is done with some of its buffers; those that left already are left alone. */
  withdraw(allocation: Allocation, buffers: readonly PoolBuffer[]): void {
    const held = buffers.filter((buffer) => allocation.held.has(buffer));
    this.#orphans.add(this.#leave(allocation, held));
    this.#allocationLog.flush();
  }

  /** A connection is gone, and done with all that it had. */
  ownerLeft(owner: Pick<Owner, 'bus' | 'name'>): void {
    const owned = [...(this.#byOwner.get(ownerKey(owner)) ?? [])];
    for (const allocation of owned) allocation.ownerLeft = true;
    this.#orphans.add(owned.flatMap((allocation) => this.#leave(allocation, allocation.held)));
    this.#allocationLog.flush();
  }

  /**
   * Takes over an allocation of an earlier start. What its owner was not sent when that ended is over, because no client
   * knows of it; unless something has it, as when the daemon died between sending and recording it. Announces nothing.
   */
  restore({ id, created, terms, held, undelivered, orphaned }: EarlierAllocation): void {
    const allocation = new Allocation(id, terms, created);
    this.#own(allocation);
    this.#hold(allocation, [...held, ...orphaned]);
    for (const buffer of undelivered) allocation.undelivered.add(buffer);
    const lost = undelivered.filter((buffer) => this.#options.inUse(buffer) !== true);
    this.#orphans.add(this.#leave(allocation, [...orphaned, ...lost]));
    allocation.announced = allocation.state;
  }

  /** Every allocation that is not over. */
  get allocations(): Iterable<Allocation> {
    return this.#allocations.values();
  }

  /** Looks after nothing any more; the end of the process frees what is left. */
  close(): void {
    this.#orphans.close();
  }

  #hold(allocation: Allocation, buffers: readonly PoolBuffer[]): void {
    for (const buffer of buffers) {
      allocation.held.add(buffer);
      allocation.bytes += buffer.bytes;
      this.#liveBytes += buffer.bytes;
      this.#usage.add(allocation.terms.owner, { bytes: buffer.bytes, buffers: 1 });
    }
    this.#liveBuffers += buffers.length;
  }

  #own(allocation: Allocation): void {
    this.#allocations.set(allocation.id, allocation);
    const key = ownerKey(allocation.terms.owner);
    const owned = this.#byOwner.get(key);
    if (owned === undefined) this.#byOwner.set(key, new Set([allocation]));
    else owned.add(allocation);
  }

  /** Moves buffers from held to leaving; an allocation of which nothing is held is its owner's no more. */
  #leave(allocation: Allocation, buffers: Iterable<PoolBuffer>): readonly Orphan[] {
    const orphans = [...buffers].map((buffer) => ({ allocation, buffer }));
    for (const { buffer } of orphans) {
      allocation.held.delete(buffer);
      allocation.undelivered.delete(buffer);
      allocation.orphaned.add(buffer);
    }
    this.#allocationLog.left(
      allocation,
      orphans.map(({ buffer }) => buffer),
    );
    if (allocation.held.size === 0) allocation.state = 'orphaned';
    return orphans;
  }

  #disown(allocation: Allocation): void {
    const key = ownerKey(allocation.terms.owner);
    const owned = this.#byOwner.get(key);
    owned?.delete(allocation);
    if (owned?.size === 0) this.#byOwner.delete(key);
  }

  #saw(gone: readonly Orphan[], staying: readonly Orphan[]): void {
    const touched = new Set<Allocation>();
    const pools = new Set<Pool>();
    for (const { allocation, buffer } of gone) {
      allocation.orphaned.delete(buffer);
      allocation.bytes -= buffer.bytes;
      this.#allocationLog.freed(allocation, [buffer]);
      buffer.pool.free(buffer);
      this.#liveBytes -= buffer.bytes;
      this.#liveBuffers -= 1;
      this.#usage.take(allocation.terms.owner, { bytes: buffer.bytes, buffers: 1 });
      touched.add(allocation);
      pools.add(buffer.pool);
    }
    for (const { allocation } of staying)
      if (allocation.announced !== allocation.state) touched.add(allocation);
    for (const allocation of touched) this.#announce(allocation);
    if (pools.size > 0) this.#options.events.poolsUsed(pools);
  }

  #announce(allocation: Allocation): void {
    allocation.announced = allocation.state;
    if (!allocation.empty) {
      this.#options.events.allocationChanged(allocation.view());
    } else if (this.#allocations.delete(allocation.id)) {
      this.#disown(allocation);
      this.#options.events.allocationRemoved(allocation.view());
    }
  }
}

const ownerKey = ({ bus, name }: Pick<Owner, 'bus' | 'name'>): string => `${bus} ${name}`;
