import { Accounts } from '../../dbus/accounts/account.js';
import type { BrokerError } from '../../dbus/errors.js';
import { Ledger } from '../ledger/ledger.js';
import type { Policy } from '../policy/policy.js';
import { planPools } from '../sizing/plan.js';
import type { Pool } from '../pools/pool.js';
import { NO_FD_STORE } from '../pools/fd-store.js';
import { Pools, type ListedPool } from '../pools/pools.js';
import { ADMINISTRATOR_UID } from '../../dbus/names.js';
import { SessionSource } from './pool-access.js';
import { Allocator } from './allocator.js';
import { explain, explainAtOnce, type Circumstances } from './explain.js';
import { isInUse } from './in-use.js';
import { Notifier, ClosedPools } from './notifier.js';
import type { BrokerOptions, MachineState } from './options.js';
import { RequestRates } from './request-rates.js';
import { Parties } from './parties/parties.js';
import { Searches } from './searches.js';
import { channelRefusal } from './channel-limits.js';
import { isOwner, tooFast, unknownAllocation, unknownPool } from './refusal.js';
import type {
  AllocationView,
  Broker,
  BrokerEvents,
  DeviceView,
  Explanation,
  ExtendRequest,
  Granted,
  NewRequest,
  OpenChannels,
  Owner,
  PoolView,
  Sessions,
  Totals,
} from './broker-types.js';
import { deviceViews, revealPool } from './views.js';
import { makeSnapshot, type Snapshot } from './snapshot.js';
import { payerOf } from '../ledger/ledger-types.js';

/** A broker as its creator sees it. */
export interface ClosableBroker extends Broker {
  /**
   * The machine is another from now on. What is out is not touched, and a request under way goes on as it began; the pool
   * of a heap that is not there any more is closed.
   */
  adopt(machine: MachineState): void;
  /** Stops looking after what was given, and closes the heaps. */
  close(): void;
}

export const createBroker = (options: BrokerOptions): ClosableBroker => new RequestBroker(options);

/** Holds the rooms together; each step of a request has a file of its own. */
class RequestBroker implements ClosableBroker {
  readonly accounts = new Accounts();
  readonly parties: Parties;
  readonly #options: BrokerOptions;
  readonly #searches: Searches;
  readonly #notifier: Notifier;
  readonly #pools: Pools;
  readonly #ledger: Ledger;
  readonly #allocator: Allocator;
  readonly #sessions = new SessionSource();
  readonly #rates: RequestRates;
  readonly #closed: ClosedPools;
  /** Limits that an administrator gave, until policy is read again. */
  readonly #ordered = new Map<Pool, bigint>();
  #machine: MachineState;
  #snapshot: Snapshot;
  #reloading: Promise<void> = Promise.resolve();

  constructor(options: BrokerOptions) {
    this.#options = options;
    const { randomHex, dmaBuf, now, later, clock, log, policy, persistence } = options;
    this.#machine = options;
    this.#closed = new ClosedPools(log);
    this.#rates = new RequestRates(options.clock);
    this.#searches = new Searches(this.accounts, clock);
    this.#notifier = new Notifier(log, (pool) => this.#pools.get(pool.handle) === pool);
    const fdStore = persistence?.fdStore ?? NO_FD_STORE;
    const inUse = (fd: number): boolean => isInUse(fd, fdStore.ours(fd), dmaBuf, log);
    this.#pools = new Pools({
      ...options,
      fdStore,
      buffers: dmaBuf,
      inUse,
      changed: (pool) => {
        this.#notifier.poolChanged(pool);
      },
    });
    this.#ledger = new Ledger({
      randomHex,
      now,
      later,
      clock,
      inUse: ({ pool, fd }) => pool.lender.isInUse(fd),
      events: this.#notifier,
      ...(persistence !== undefined && { allocationLog: persistence.allocationLog }),
    });
    this.#allocator = new Allocator({
      dmaBuf,
      log,
      pools: this.#pools,
      ledger: this.#ledger,
      sessions: this.#sessions,
      accounts: this.accounts,
      searches: this.#searches,
      snapshot: () => this.#snapshot,
    });
    this.parties = new Parties({
      allocator: this.#allocator,
      ledger: this.#ledger,
      pools: this.#pools,
      sessions: this.#sessions,
      searches: this.#searches,
      snapshot: () => this.#snapshot,
      randomHex,
      clock,
      later,
      events: this.#notifier,
      admit: (owner) => {
        const refusal = this.#refusal(owner);
        if (refusal !== undefined) throw refusal;
      },
    });
    const allocationChanged = (view: AllocationView): void => {
      this.parties.allocationChanged(view);
    };
    this.#notifier.listen({ allocationChanged, allocationRemoved: allocationChanged });
    this.#pools.adopt(options.heaps);
    this.#pools.apply(planPools(options.inventory, policy));
    this.#snapshot = this.#makeSnapshot(policy, this.#pools.list());
    persistence?.restore(this.#pools, this.#ledger);
  }

  allocate(owner: Owner, request: NewRequest | ExtendRequest): Granted | Promise<Granted> {
    const refusal = this.#refusal(owner);
    return refusal === undefined ? this.#allocator.allocate(owner, request) : Promise.reject(refusal);
  }

  explain(owner: Owner, request: NewRequest): Explanation | Promise<Explanation> {
    const refusal = this.#refusal(owner);
    if (refusal !== undefined) return Promise.reject(refusal);
    return explainAtOnce(owner, request, this.#circumstances(owner)) ?? this.#explain(owner, request);
  }

  admitChannel(owner: Owner, open: OpenChannels): void {
    const refusal =
      this.#refusal(owner) ?? channelRefusal(owner, open, this.#snapshot.limitsOf(owner).channels);
    if (refusal !== undefined) throw refusal;
  }

  release(owner: Owner, id: string, administrator: boolean): void {
    const allocation = this.#ledger.held(id);
    if (allocation === undefined || !(administrator || isOwner(owner, allocation))) throw unknownAllocation();
    this.#ledger.release(allocation);
  }

  undo(granted: Granted): void {
    this.#allocator.undo(granted);
  }

  delivered(granted: Granted): void {
    this.#allocator.delivered(granted);
  }

  ownerLeft(bus: string, name: string): void {
    this.parties.ownerLeft(bus, name);
    this.#allocator.ownerLeft(bus, name);
  }

  async reload(): Promise<void> {
    // One after the other, or the policy that was read first could be the one that stays.
    const reloaded = this.#reloading.then(() => this.#reload());
    this.#reloading = reloaded.catch(() => undefined);
    await reloaded;
  }

  setPoolLimit(handle: string, bytes: bigint): void {
    const pool = this.#pool(handle);
    pool.limitTo(bytes);
    this.#ordered.set(pool, bytes);
    this.#notifier.poolChanged(pool);
  }

  reveal(handle: string): ReadonlyMap<string, string | bigint | boolean> {
    return revealPool(this.#pool(handle), this.#snapshot);
  }

  devices(): readonly DeviceView[] {
    return deviceViews(this.#snapshot);
  }

  pools(): readonly PoolView[] {
    return this.#pools.list().map(({ pool }) => pool.view());
  }

  allocations(): readonly AllocationView[] {
    return this.#ledger.views();
  }

  totals(): Totals {
    const { shortfalls, warnings, policy } = this.#snapshot;
    const { liveBytes, liveBuffers } = this.#ledger;
    return { liveBytes, liveBuffers, policyFiles: policy.files, shortfalls, warnings };
  }

  listen(events: Partial<BrokerEvents>): void {
    this.#notifier.listen(events);
  }

  consult(sessions: Sessions): void {
    this.#sessions.consult(sessions);
  }

  adopt(machine: MachineState): void {
    this.#machine = machine;
    const closed = this.#pools.adopt(machine.heaps);
    for (const pool of closed) this.#ordered.delete(pool);
    this.#closed.update(closed, machine.heaps);
    this.#replan(this.#snapshot.policy);
  }

  close(): void {
    const { persistence } = this.#options;
    this.parties.shutDown();
    this.#searches.close();
    this.#ledger.close();
    this.#pools.close(persistence !== undefined);
    persistence?.close();
  }

  #circumstances(owner: Owner): Circumstances {
    return {
      snapshot: this.#snapshot,
      pools: this.#pools,
      sessions: this.#sessions,
      quotas: this.#ledger.quotas,
      runner: this.#searches.of(owner),
      requester: { account: this.accounts.of(payerOf(owner)), name: owner.name },
    };
  }

  async #explain(owner: Owner, request: NewRequest): Promise<Explanation> {
    for (;;) {
      const circumstances = this.#circumstances(owner);
      const explanation = await explain(owner, request, circumstances);
      // One during which policy changed would speak of both.
      if (circumstances.snapshot === this.#snapshot) return explanation;
    }
  }

  async #reload(): Promise<void> {
    const policy = await this.#options.loadPolicy();
    this.#replan(policy, () => {
      this.#ordered.clear();
    });
  }

  /**
   * Plans for the machine as it is, and says what that changed. All that can fail comes before the first change.
   * @param changing called between the two
   */
  #replan(policy: Policy, changing = (): void => undefined): void {
    const before = this.devices();
    const plans = planPools(this.#machine.inventory, policy);
    this.#snapshot = this.#makeSnapshot(policy, this.#pools.prepare(plans));
    changing();
    const changes = this.#pools.apply(plans, (pool) => this.#ordered.get(pool));
    this.#notifier.poolsPlanned(changes);
    this.#notifier.devicesPlanned(before, this.devices());
  }

  #makeSnapshot(policy: Policy, listed: readonly ListedPool[]): Snapshot {
    const warnings = [...this.#machine.warnings, ...this.#closed.warnings];
    return makeSnapshot({
      inventory: this.#machine.inventory,
      plainByPolicy: this.#options.plainByPolicy,
      policy,
      listed,
      warnings,
    });
  }

  /** Administrators have no rate limit: they could stop the service anyway. */
  #refusal(owner: Owner): BrokerError | undefined {
    if (owner.uid === ADMINISTRATOR_UID) return undefined;
    const refusal = this.#rates.admit(payerOf(owner), this.#snapshot.limitsOf(owner).rate);
    return refusal === undefined ? undefined : tooFast(refusal);
  }

  #pool(handle: string): Pool {
    const pool = this.#pools.get(handle);
    if (pool === undefined) throw unknownPool(handle);
    return pool;
  }
}
