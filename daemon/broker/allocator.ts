import type { Accounts } from '../../dbus/accounts/account.js';
import { BrokerError } from '../../dbus/errors.js';
import { closeAll, type OwnedFd } from '../../dbus/owned-fd.js';
import type { Layout } from '../constraints/constraint-types.js';
import type { Allocation } from '../ledger/allocation.js';
import type { Ledger } from '../ledger/ledger.js';
import type { Pool, PoolBuffer } from '../pools/pool.js';
import type { Pools } from '../pools/pools.js';
import { callerOf } from './pool-access.js';
import { InFlightRequests, type InFlightRequest } from './in-flight-requests.js';
import { BufferSource, copies } from './buffer-source.js';
import { askedOf, choosePools } from './choose.js';
import type { BrokerOptions } from './options.js';
import { fdsPerBuffer, fittingCount } from './fitting-count.js';
import { takenFormats } from './taken-formats.js';
import { conflictError, isOwner, memoryGone, memoryUnused, unknownAllocation } from './refusal.js';
import type { DecidedLayout } from './decisions.js';
import { isWantOfMemory, linearInstead } from './linear-instead.js';
import { decideRequest } from './solve.js';
import type { Searches } from './searches.js';
import { giveBack, type Provision } from './take.js';
import type { ExtendRequest, Granted, GrantedLayout, NewRequest, Owner, Sessions } from './broker-types.js';
import { accessListsOf, poolsOf, type Snapshot } from './snapshot.js';

export interface AllocatorOptions extends Pick<BrokerOptions, 'dmaBuf' | 'log'> {
  /** As it is now. */
  readonly snapshot: () => Snapshot;
  readonly pools: Pools;
  readonly ledger: Ledger;
  readonly sessions: Sessions;
  readonly accounts: Accounts;
  readonly searches: Searches;
}

/** Buffers of which it was decided elsewhere what they are like. */
export interface DecidedSet {
  readonly snapshot: Snapshot;
  readonly layout: Layout;
  readonly count: number;
  readonly label: string;
}

export interface Allotted {
  readonly allocation: Allocation;
  readonly layout: GrantedLayout;
  /** In an order that stays. */
  readonly buffers: readonly PoolBuffer[];
}

/** One allocation's way: admit, solve, take, copy, record; and its undoing. */
export class Allocator {
  readonly #options: AllocatorOptions;
  readonly #inFlight = new InFlightRequests();
  readonly #source: BufferSource;
  readonly #grants = new WeakMap<Granted, { allocation: Allocation; buffers: readonly PoolBuffer[] }>();

  constructor(options: AllocatorOptions) {
    this.#options = options;
    this.#source = new BufferSource(options);
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

  /**
   * Makes an allocation of what was decided elsewhere, and gives none of it out yet.
   * @param pools that may give it, best first
   * @throws {BrokerError} what `allocate` refuses after its decision
   */
  async allot(owner: Owner, set: DecidedSet, pools: readonly Pool[]): Promise<Allotted> {
    using inFlight = this.#inFlight.begin(owner);
    const { snapshot, layout, count, label } = set;
    const { provision, reservation } = await this.#source.provide(
      snapshot,
      owner,
      pools,
      this.#source.demand(owner, snapshot, layout, count),
    );
    using _counted = reservation;
    const { pool, buffers } = provision;
    if (inFlight.ownerGone) {
      giveBack(provision);
      throw new BrokerError('Unavailable', 'The caller has left the bus.');
    }
    try {
      this.#source.label(provision, label);
      const granted = snapshot.layouts.of(layout, pool, count);
      const allocation = this.#options.ledger.record({ owner, label, layout: granted, pool }, buffers);
      return { allocation, layout: granted, buffers };
    } catch (error) {
      giveBack(provision);
      throw error;
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
    const demand = this.#source.demand(owner, snapshot, layout, decided.count);
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
    this.#source.settle(provision, reservation);
    return this.#record(snapshot, owner, request, layout, provision);
  }

  async #create(
    snapshot: Snapshot,
    owner: Owner,
    request: NewRequest,
    inFlight: InFlightRequest,
  ): Promise<Granted> {
    const decided = await decideRequest(request, snapshot, this.#options.searches.of(owner));
    const { decision } = decided;
    if (!decision.feasible) {
      const help = takenFormats(decision.conflict, request, snapshot.index);
      throw conflictError(request, decision, snapshot.classOf, help);
    }
    const laidOut = { ...decided, decision };
    try {
      return await this.#make(snapshot, owner, request, laidOut, inFlight);
    } catch (error) {
      const linear = isWantOfMemory(error) ? linearInstead(laidOut) : undefined;
      if (linear === undefined || inFlight.ownerGone) throw error;
      return await this.#make(snapshot, owner, request, linear, inFlight).catch(() => {
        throw error;
      });
    }
  }

  async #make(
    snapshot: Snapshot,
    owner: Owner,
    request: NewRequest,
    { decision: { layout, memories }, count }: DecidedLayout,
    inFlight: InFlightRequest,
  ): Promise<Granted> {
    const demand = this.#source.demand(owner, snapshot, layout, count);
    const secured = await this.#source.provide(
      snapshot,
      owner,
      poolsOf(memories, this.#options.pools),
      demand,
    );
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
    const demand = this.#source.demand(owner, snapshot, layout, count);
    const { provision, reservation } = await this.#source.provide(snapshot, owner, [pool], demand);
    using _counted = reservation;
    const granted = snapshot.layouts.of(layout, pool, count);
    return this.#grant(provision, granted, label, inFlight, () => {
      // It may have been released while the memory was made.
      if (allocation.state !== 'held') throw unknownAllocation();
      ledger.grow(allocation, provision.buffers);
      return allocation;
    });
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
      this.#source.label(provision, label);
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
}
