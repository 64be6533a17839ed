import type { Accounts } from '../../dbus/accounts/account.js';
import { BrokerError } from '../../dbus/errors.js';
import { closeAll, type OwnedFd } from '../../dbus/owned-fd.js';
import type { Layout } from '../constraints/constraint-types.js';
import type { Allocation } from '../ledger/allocation.js';
import type { Ledger } from '../ledger/ledger.js';
import type { Reservation } from '../ledger/quotas.js';
import type { Pool, PoolBuffer } from '../pools/pool.js';
import type { Pools } from '../pools/pools.js';
import { callerOf } from './pool-access.js';
import { InFlightRequests, type InFlightRequest } from './in-flight-requests.js';
import { askedOf, choosePools, type Demand } from './choose.js';
import type { BrokerOptions } from './options.js';
import { pictureOf } from './picture.js';
import { fdsPerBuffer, fittingCount } from './fitting-count.js';
import { takenFormats } from './taken-formats.js';
import { conflictError, isOwner, memoryGone, memoryUnused, unknownAllocation } from './refusal.js';
import { decideRequest } from './solve.js';
import type { Searches } from './searches.js';
import { giveBack, take, type Provision } from './take.js';
import type { ExtendRequest, Granted, GrantedLayout, NewRequest, Owner, Sessions } from './broker-types.js';
import { accessListsOf, poolsOf, type Snapshot } from './snapshot.js';
import { payerOf } from '../ledger/ledger-types.js';

export interface AllocatorOptions extends Pick<BrokerOptions, 'dmaBuf' | 'log'> {
  /** As it is now. */
  readonly snapshot: () => Snapshot;
  readonly pools: Pools;
  readonly ledger: Ledger;
  readonly sessions: Sessions;
  readonly accounts: Accounts;
  readonly searches: Searches;
}

/** Buffers that count against their owner. */
interface Secured {
  readonly provision: Provision;
  readonly reservation: Reservation;
}

/** One allocation's way: admit, solve, take, copy, record; and its undoing. */
export class Allocator {
  readonly #options: AllocatorOptions;
  readonly #inFlight = new InFlightRequests();
  /** Pools whose heap failed when it was last tried. */
  readonly #failing = new WeakSet<Pool>();
  readonly #grants = new WeakMap<Granted, { allocation: Allocation; buffers: readonly PoolBuffer[] }>();

  constructor(options: AllocatorOptions) {
    this.#options = options;
  }

  allocate(owner: Owner, request: NewRequest | ExtendRequest): Granted | Promise<Granted> {
    try {
      const granted = 'extends' in request ? undefined : this.#createAtOnce(owner, request);
      return granted ?? this.#inTime(owner, request);
    } catch (error) {
      // What is refused is refused through a promise, whether it took time or not.
      return Promise.resolve().then(() => {
        throw error;
      });
    }
  }

  async #inTime(owner: Owner, request: NewRequest | ExtendRequest): Promise<Granted> {
    using inFlight = this.#inFlight.begin(owner);
    for (;;) {
      const snapshot = this.#options.snapshot();
      try {
        return 'extends' in request
          ? await this.#extend(snapshot, owner, request, inFlight)
          : await this.#create(snapshot, owner, request, inFlight);
      } catch (error) {
        // What was refused under a policy that holds no more is decided again.
        if (inFlight.ownerGone || snapshot === this.#options.snapshot()) throw error;
      }
    }
  }

  /** Takes back what a grant gave, as far as it is still held. */
  undo(granted: Granted): void {
    const grant = this.#grants.get(granted);
    if (grant !== undefined) this.#options.ledger.withdraw(grant.allocation, grant.buffers);
  }

  /** Its owner was sent what the grant gave. */
  delivered(granted: Granted): void {
    const grant = this.#grants.get(granted);
    if (grant !== undefined) this.#options.ledger.delivered(grant.allocation, grant.buffers);
  }

  /** Ends what the owner has, and sees to it that what is being made for it ends too. */
  ownerLeft(bus: string, name: string): void {
    this.#inFlight.ownerLeft(bus, name);
    this.#options.searches.ownerLeft(bus, name);
    this.#options.ledger.ownerLeft({ bus, name });
  }

  /** Serves what was decided before from what lies ready; undefined, and nothing done, when that cannot be. */
  #createAtOnce(owner: Owner, request: NewRequest): Granted | undefined {
    const { pools, ledger, sessions } = this.#options;
    const snapshot = this.#options.snapshot();
    const decided = snapshot.decisions.of(request);
    if (decided?.decision.feasible !== true) return undefined;
    const { layout, memories } = decided.decision;
    // Several descriptors a buffer are taken one size after the other, which can fail half-way.
    if (layout.fdSizes !== undefined) return undefined;
    const demand = this.#demand(owner, snapshot, layout, decided.count);
    const serving = poolsOf(memories, pools);
    const caller = callerOf(owner, accessListsOf(serving, snapshot), sessions);
    if (caller instanceof Promise) return undefined;
    const choice = choosePools(serving, demand, caller, snapshot.handOut);
    const [pool] = choice.ok ? choice.pools : [];
    if (pool === undefined) return undefined;
    using reservation = ledger.quotas.reserveAtOnce(owner, askedOf(demand), snapshot.limitsOf(owner).limits);
    if (reservation === undefined) return undefined;
    const buffers = pool.takeReady(demand.size, demand.count, demand.requester);
    if (buffers === undefined) return undefined;
    const provision = { pool, buffers };
    this.#settle(provision, reservation);
    return this.#record(snapshot, owner, request, layout, provision);
  }

  async #create(
    snapshot: Snapshot,
    owner: Owner,
    request: NewRequest,
    inFlight: InFlightRequest,
  ): Promise<Granted> {
    const { decision, count } = await decideRequest(request, snapshot, this.#options.searches.of(owner));
    if (!decision.feasible) {
      const help = takenFormats(decision.conflict, request, snapshot.index);
      throw conflictError(request, decision, snapshot.classOf, help);
    }
    const { layout, memories } = decision;
    const demand = this.#demand(owner, snapshot, layout, count);
    const secured = await this.#provide(snapshot, owner, poolsOf(memories, this.#options.pools), demand);
    // Counts until the ledger does.
    using _counted = secured.reservation;
    return this.#record(snapshot, owner, request, layout, secured.provision, inFlight);
  }

  #record(
    snapshot: Snapshot,
    owner: Owner,
    { label = '' }: NewRequest,
    layout: Layout,
    provision: Provision,
    inFlight?: InFlightRequest,
  ): Granted {
    const { pool, buffers } = provision;
    const granted = snapshot.layouts.of(layout, pool, buffers.length / fdsPerBuffer(layout));
    const terms = { owner, label, layout: granted, pool };
    return this.#grant(provision, granted, label, inFlight, () =>
      this.#options.ledger.record(terms, buffers),
    );
  }

  async #extend(
    snapshot: Snapshot,
    owner: Owner,
    request: ExtendRequest,
    inFlight: InFlightRequest,
  ): Promise<Granted> {
    const { pools, ledger } = this.#options;
    const allocation = ledger.held(request.extends);
    if (allocation === undefined || !isOwner(owner, allocation)) throw unknownAllocation();
    const { pool, layout, label } = allocation.terms;
    // The layout names the pool, so that no other can give the rest.
    if (pool.closed) throw memoryGone();
    if (pools.get(pool.handle) === undefined) throw memoryUnused();
    const count = fittingCount(request, request.count ?? 1, layout);
    const demand = this.#demand(owner, snapshot, layout, count);
    const { provision, reservation } = await this.#provide(snapshot, owner, [pool], demand);
    using _counted = reservation;
    const granted = snapshot.layouts.of(layout, pool, count);
    return this.#grant(provision, granted, label, inFlight, () => {
      // It may have been released while the memory was made.
      if (allocation.state !== 'held') throw unknownAllocation();
      ledger.grow(allocation, provision.buffers);
      return allocation;
    });
  }

  /** Takes the buffers, and counts them against their owner. The caller records them or gives them back, and ends the count. */
  async #provide(snapshot: Snapshot, owner: Owner, pools: readonly Pool[], demand: Demand): Promise<Secured> {
    const caller = await callerOf(owner, accessListsOf(pools, snapshot), this.#options.sessions);
    for (const pool of pools) await pool.proveRoom(demand.size, demand.count, demand.requester);
    const choice = choosePools(pools, demand, caller, snapshot.handOut);
    if (!choice.ok) throw new BrokerError(choice.refusal.code, choice.refusal.text);
    const reservation = await this.#reserve(snapshot, owner, demand);
    try {
      const provision = await take(choice.pools, demand, (pool, error) => {
        this.#report(pool, error);
      });
      this.#failing.delete(provision.pool);
      this.#settle(provision, reservation);
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

  #demand(owner: Owner, snapshot: Snapshot, layout: Layout, count: number): Demand {
    return {
      size: layout.size,
      fdSizes: layout.fdSizes,
      count,
      requester: { account: this.#options.accounts.of(payerOf(owner)), name: owner.name },
      pictureIn: (pool) => (snapshot.makesPictures(pool) ? pictureOf(layout) : undefined),
    };
  }

  /** Heaps round up, which is known only now. */
  #settle(provision: Provision, reservation: Reservation): void {
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

  /** The last steps, without a pause between them: nothing changes between the checks and the record. */
  #grant(
    provision: Provision,
    layout: GrantedLayout,
    label: string,
    inFlight: InFlightRequest | undefined,
    record: () => Allocation,
  ): Granted {
    const { buffers } = provision;
    let fds: readonly OwnedFd[] = [];
    try {
      if (inFlight?.ownerGone === true) throw new BrokerError('Unavailable', 'The caller has left the bus.');
      fds = copies(buffers);
      this.#label(provision, label);
      const allocation = record();
      const granted: Granted = { allocation: allocation.view(), layout, fds };
      this.#grants.set(granted, { allocation, buffers });
      return granted;
    } catch (error) {
      closeAll(fds);
      giveBack(provision);
      throw error;
    }
  }

  /** A label only helps a person to read the kernel's lists, so a request does not fail for want of one. */
  #label({ pool, buffers }: Provision, label: string): void {
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
function copies(buffers: readonly PoolBuffer[]): readonly OwnedFd[] {
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
