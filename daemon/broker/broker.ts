import { Ledger } from '../ledger/ledger.js';
import { planPools } from '../pools/plan.js';
import type { Pool } from '../pools/pool.js';
import { Pools } from '../pools/pools.js';
import { Allocator } from './allocator.js';
import { explain } from './explain.js';
import { isInUse } from './in-use.js';
import { Listener } from './listener.js';
import type { BrokerOptions } from './options.js';
import { isOwner, unknownAllocation, unknownPool } from './refusal.js';
import { revealPool } from './reveal.js';
import type {
  AllocationView,
  Broker,
  BrokerEvents,
  DeviceView,
  Explanation,
  ExtendRequest,
  Granted,
  NewRequest,
  Owner,
  PoolView,
  Totals,
} from './types.js';
import { deviceViews } from './views.js';
import { makeWorld, type World } from './world.js';

/** A broker that can be ended: it stops looking after what it gave, and closes its heaps. */
export interface ClosableBroker extends Broker {
  close(): void;
}

export const createBroker = (options: BrokerOptions): ClosableBroker => new RequestBroker(options);

/** Holds the rooms together; each step of a request has a file of its own. */
class RequestBroker implements ClosableBroker {
  readonly #options: BrokerOptions;
  readonly #listener: Listener;
  readonly #pools: Pools;
  readonly #ledger: Ledger;
  readonly #allocator: Allocator;
  #world: World;
  #reloading: Promise<void> = Promise.resolve();

  constructor(options: BrokerOptions) {
    this.#options = options;
    const { randomHex, dmaBuf, now, later, log, policy } = options;
    this.#listener = new Listener(log);
    const inUse = (fd: number): boolean => isInUse(fd, dmaBuf, log);
    this.#pools = new Pools({
      ...options,
      buffers: dmaBuf,
      inUse,
      changed: (pool) => {
        this.#poolChanged(pool);
      },
    });
    this.#ledger = new Ledger({
      randomHex,
      now,
      later,
      inUse: ({ fd }) => inUse(fd.number),
      events: this.#listener,
    });
    this.#allocator = new Allocator({
      dmaBuf,
      log,
      pools: this.#pools,
      ledger: this.#ledger,
      world: () => this.#world,
    });
    this.#pools.apply(planPools(options.inventory, policy));
    this.#world = makeWorld({ ...options, pools: this.#pools });
  }

  allocate(owner: Owner, request: NewRequest | ExtendRequest): Promise<Granted> {
    return this.#allocator.allocate(owner, request);
  }

  explain(_owner: Owner, request: NewRequest): Promise<Explanation> {
    return explain(request, this.#world, this.#pools);
  }

  release(owner: Owner, id: string, administrator: boolean): void {
    const allocation = this.#ledger.held(id);
    if (allocation === undefined || !(administrator || isOwner(owner, allocation))) throw unknownAllocation();
    this.#ledger.release(allocation);
  }

  undo(granted: Granted): void {
    this.#allocator.undo(granted);
  }

  ownerLeft(bus: string, name: string): void {
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
    this.#poolChanged(pool);
  }

  reveal(handle: string): ReadonlyMap<string, string | bigint | boolean> {
    return revealPool(this.#pool(handle));
  }

  devices(): readonly DeviceView[] {
    return deviceViews(this.#world);
  }

  pools(): readonly PoolView[] {
    return this.#pools.list().map(({ pool }) => pool.view());
  }

  allocations(): readonly AllocationView[] {
    return this.#ledger.views();
  }

  totals(): Totals {
    const { shortfalls, warnings, policy } = this.#world;
    const { liveBytes, liveBuffers } = this.#ledger;
    return { liveBytes, liveBuffers, policyFiles: policy.files, shortfalls, warnings };
  }

  listen(events: BrokerEvents): void {
    this.#listener.listen(events);
  }

  close(): void {
    this.#ledger.close();
    this.#pools.close();
  }

  async #reload(): Promise<void> {
    const policy = await this.#options.loadPolicy();
    const before = this.devices();
    const changes = this.#pools.apply(planPools(this.#options.inventory, policy));
    this.#world = makeWorld({ ...this.#options, policy, pools: this.#pools });
    this.#listener.poolsPlanned(changes);
    this.#listener.devicesRuled(before, this.devices());
  }

  #poolChanged(pool: Pool): void {
    // Nobody knows of one that policy does not list.
    if (this.#pools.get(pool.handle) !== pool) return;
    this.#listener.tell((events) => {
      events.poolChanged(pool.view());
    });
  }

  #pool(handle: string): Pool {
    const pool = this.#pools.get(handle);
    if (pool === undefined) throw unknownPool(handle);
    return pool;
  }
}
