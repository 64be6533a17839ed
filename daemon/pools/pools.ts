import type { MemoryClass } from '../../dbus/names.js';
import type { HeapFacts } from '../devices/inventory.js';
import { GoneHeap } from '../heaps/gone-heap.js';
import type { Heap } from '../heaps/heap.js';
import type { PressureCalls } from '../kernel/kernel.js';
import { Budget } from './budget.js';
import { DeferredClose } from './deferred-close.js';
import { Semaphore } from './semaphore.js';
import { Idle } from './idle.js';
import type { PoolPlan } from '../sizing/plan.js';
import { Pool, type PoolTerms } from './pool.js';
import { MemoryPressure } from './memory-pressure.js';
import type { Clock, Later } from '../base/time.js';
import type { BufferCalls, PoolTools } from './tools.js';
import { Maintenance } from './maintenance.js';
import { NO_FD_STORE, type Origin, type FdStore } from './fd-store.js';

/**
 * Buffers made at the same time, of all requests together. libuv has four threads; one is left for closing and for
 * files, so that neither waits behind the clearing of pages.
 */
const ALLOCATIONS_AT_ONCE = 3;
/** Bytes of randomness in a handle: enough that two of one start never meet. */
const HANDLE_BYTES = 6;

export interface PoolsOptions {
  /** So many random bytes in hexadecimal. */
  readonly randomHex: (bytes: number) => string;
  readonly buffers: BufferCalls;
  /** Whether anybody but the broker can still reach a buffer. Asked of heaps that count references. */
  readonly inUse: (fd: number) => boolean;
  readonly pressure: PressureCalls;
  /** Has buffers outlive the process; nothing does when absent. */
  readonly fdStore?: FdStore;
  readonly later: Later;
  readonly clock: Clock;
  /** Told when memory begins to be made or cleared, and when none is any more. */
  readonly working?: (isWorking: boolean) => void;
  /** Told when what a pool keeps ready changed beside a request for it. */
  readonly changed: (pool: Pool) => void;
}

/** What a new plan changed. */
export interface PoolChanges {
  readonly added: readonly Pool[];
  readonly removed: readonly Pool[];
  readonly changed: readonly Pool[];
}

/** A pool with what the latest plan says of it. */
export interface ListedPool {
  readonly pool: Pool;
  readonly plan: PoolPlan;
}

/** The pools of this start of the daemon, as the latest plan lists them. */
export class Pools {
  #heaps: ReadonlyMap<string, Heap> = new Map();
  readonly #options: PoolsOptions;
  readonly #maintenance: Maintenance;
  readonly #idle: Idle;
  readonly #memoryPressure: MemoryPressure;
  readonly #tools: PoolTools;
  /** By heap and class. One that no plan lists any more stays, with what is still out, in case a later plan does. */
  readonly #made = new Map<string, Pool>();
  readonly #sharing = new Map<MemoryClass, Set<Budget>>();
  /** Their heap is gone, and buffers of them are still out. */
  readonly #closed = new Set<Pool>();
  /** By handle, best first. */
  #listed: ReadonlyMap<string, ListedPool> = new Map();

  constructor(options: PoolsOptions) {
    const { buffers, inUse, pressure, fdStore = NO_FD_STORE, working, later, clock } = options;
    this.#options = options;
    this.#maintenance = new Maintenance(later);
    this.#idle = new Idle(later, clock, () => this.#made.values());
    this.#memoryPressure = new MemoryPressure({
      kernel: pressure,
      later,
      clock,
      shrink: (share) => {
        for (const pool of this.#made.values()) pool.shrink(share);
      },
    });
    this.#tools = {
      semaphore: new Semaphore(ALLOCATIONS_AT_ONCE, clock, working),
      deferredClose: new DeferredClose(fdStore),
      fdStore,
      maintenance: this.#maintenance,
      buffers,
      inUse,
      clock,
      headroom: this.#memoryPressure,
      giveWay: () =>
        [...this.#made.values()]
          .filter(({ facts }) => facts.capacity === undefined)
          .map((pool) => pool.shrink('all'))
          .includes(true),
    };
  }

  /** Best first. */
  list(): readonly ListedPool[] {
    return [...this.#listed.values()];
  }

  get(handle: string): Pool | undefined {
    return this.#listed.get(handle)?.pool;
  }

  /** Finds or makes the pools of a plan; nothing changes before it is applied. */
  prepare(plans: readonly PoolPlan[]): readonly ListedPool[] {
    return plans.flatMap((plan): readonly ListedPool[] => {
      const heap = this.#heaps.get(plan.heap.id);
      return heap === undefined ? [] : [{ pool: this.#poolFor(plan, heap), plan }];
    });
  }

  /**
   * Has these heaps from now on, and closes them in the end. Heaps that are not among them any more are closed, and their
   * pools for good: they give nothing more, and what is out of them counts until it comes back. Apply a plan after this.
   * @returns the pools that were closed
   */
  adopt(heaps: readonly Heap[]): readonly Pool[] {
    const gone = [...this.#heaps.values()].filter((heap) => !heaps.includes(heap));
    this.#heaps = new Map(heaps.map((heap) => [heap.id, heap]));
    const isGone = (pool: Pool): boolean => gone.some(({ id }) => id === pool.facts.id);
    const closed = [...this.#made].filter(([, pool]) => isGone(pool));
    for (const [key, pool] of closed) {
      this.#made.delete(key);
      this.#maintenance.remove(pool);
      this.#closed.add(pool);
      pool.agree(NOTHING);
      pool.close();
    }
    for (const heap of gone) heap.close();
    this.#forget();
    return closed.map(([, pool]) => pool);
  }

  /**
   * Lists the pools of a plan. A pool that stays keeps its handle, what is out, and of what lies ready as much as the plan
   * allows.
   * @param ordered the limit that an administrator gave a pool, which goes before the plan's
   */
  apply(
    plans: readonly PoolPlan[],
    ordered: (pool: Pool) => bigint | undefined = () => undefined,
  ): PoolChanges {
    const before = this.#listed;
    const listed = this.prepare(plans);
    const limits = new Map([...this.#made.values()].map((pool) => [pool, pool.budget.limit]));
    for (const pool of limits.keys()) pool.agree(NOTHING);
    for (const { pool, plan } of listed) {
      const limit = ordered(pool) ?? plan.limit.value;
      pool.agree({ limit, warm: plan.warm.value, idle: plan.idle.value, share: plan.share.value });
    }
    this.#listed = new Map(listed.map((entry) => [entry.pool.handle, entry]));
    for (const pool of limits.keys()) pool.trim();
    const now = this.list().map(({ pool }) => pool);
    return {
      added: now.filter(({ handle }) => !before.has(handle)),
      removed: [...before.values()].map(({ pool }) => pool).filter(({ handle }) => !this.#listed.has(handle)),
      changed: now.filter((pool) => before.has(pool.handle) && limits.get(pool) !== pool.budget.limit),
    };
  }

  /**
   * The pool for buffers of an earlier start of the daemon: the one that has that heap now, or one that is closed and only
   * counts them. Call it after `adopt`.
   */
  poolForOrigin(origin: Origin): Pool {
    const { heap: id, kind, class: memoryClass, cpuAccess } = origin;
    const known = this.#made.get(`${memoryClass} ${id}`) ?? this.#closedOf(origin);
    if (known !== undefined) return known;
    const facts: HeapFacts = {
      id,
      kind,
      name: id,
      class: { value: memoryClass, source: 'earlier start' },
      cpuAccess,
      usable: false,
    };
    const pool = this.#newPool(memoryClass, facts, this.#heaps.get(id) ?? new GoneHeap(origin));
    pool.close();
    this.#closed.add(pool);
    return pool;
  }

  /**
   * Gives back what the heaps hold open.
   * @param keep leaves the buffers that lie ready to the end of the process, for those that outlive it
   */
  close(keep = false): void {
    this.#maintenance.close();
    this.#idle.close();
    this.#memoryPressure.close();
    if (!keep) for (const pool of this.#made.values()) pool.close();
    for (const heap of this.#heaps.values()) heap.close();
  }

  #closedOf({ heap, class: memoryClass }: Origin): Pool | undefined {
    return [...this.#closed].find((pool) => pool.facts.id === heap && pool.class === memoryClass);
  }

  /** Lets go of closed pools of which nothing is out any more. */
  #forget(): void {
    for (const pool of this.#closed) {
      if (pool.budget.live + pool.budget.spare > 0n) continue;
      pool.budget.leave();
      this.#closed.delete(pool);
    }
  }

  #poolFor(plan: PoolPlan, heap: Heap): Pool {
    const key = `${plan.class} ${plan.heap.id}`;
    const known = this.#made.get(key);
    if (known !== undefined) return known;
    const pool = this.#newPool(plan.class, plan.heap, heap);
    this.#made.set(key, pool);
    this.#maintenance.add(pool);
    return pool;
  }

  #newPool(memoryClass: MemoryClass, facts: HeapFacts, heap: Heap): Pool {
    const capacity = facts.capacity?.value;
    const sharing = capacity === undefined ? this.#sharingOf(memoryClass) : new Set<Budget>();
    const budget = new Budget(sharing, capacity);
    const identity = { handle: this.#newHandle(), class: memoryClass, facts };
    return new Pool(identity, heap, budget, this.#tools, (changed, expiry) => {
      this.#stockChanged(changed, expiry);
    });
  }

  #stockChanged(pool: Pool, expiry = Infinity): void {
    const isStocked = pool.warm > 0n || [...this.#made.values()].some(({ warm }) => warm > 0n);
    if (isStocked) this.#idle.arm(expiry);
    else this.#idle.rest();
    this.#memoryPressure.stocked(isStocked);
    this.#options.changed(pool);
  }

  #sharingOf(memoryClass: MemoryClass): Set<Budget> {
    const known = this.#sharing.get(memoryClass);
    if (known !== undefined) return known;
    const made = new Set<Budget>();
    this.#sharing.set(memoryClass, made);
    return made;
  }

  #newHandle(): string {
    const taken = new Set([...this.#made.values(), ...this.#closed].map(({ handle }) => handle));
    let handle = this.#options.randomHex(HANDLE_BYTES);
    while (taken.has(handle)) handle = this.#options.randomHex(HANDLE_BYTES);
    return handle;
  }
}

/** What a pool is allowed that no plan lists. */
const NOTHING: PoolTerms = { limit: 0n, warm: 0n, idle: 0, share: 100 };
