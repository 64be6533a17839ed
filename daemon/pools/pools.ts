import type { MemoryClass } from '../../dbus/names.js';
import type { Heap } from '../heaps/heap.js';
import type { PressureCalls } from '../kernel/kernel.js';
import { Budget } from './budget.js';
import { Closer } from './closer.js';
import { Gate } from './gate.js';
import { Idle } from './idle.js';
import type { PoolPlan } from './plan.js';
import { Pool, type PoolTerms } from './pool.js';
import { Shortage } from './shortage.js';
import type { Clock, Later } from './time.js';
import type { BufferCalls, PoolTools } from './tools.js';
import { Upkeep } from './upkeep.js';

/**
 * Buffers made at the same time, of all requests together. libuv has four threads; one is left for closing and for
 * files, so that neither waits behind the clearing of pages.
 */
const ALLOCATIONS_AT_ONCE = 3;
/** Bytes of randomness in a handle: enough that two of one start never meet. */
const HANDLE_BYTES = 6;

export interface PoolsOptions {
  /** The heaps that could be opened; the pools close them in the end. */
  readonly heaps: readonly Heap[];
  /** So many random bytes in hexadecimal. */
  readonly randomHex: (bytes: number) => string;
  readonly buffers: BufferCalls;
  /** Whether anybody but the broker can still reach a buffer. Asked of heaps that count references. */
  readonly inUse: (fd: number) => boolean;
  readonly pressure: PressureCalls;
  readonly later: Later;
  readonly clock: Clock;
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
  readonly #heaps: ReadonlyMap<string, Heap>;
  readonly #options: PoolsOptions;
  readonly #upkeep: Upkeep;
  readonly #idle: Idle;
  readonly #shortage: Shortage;
  readonly #tools: PoolTools;
  /** By heap and class. One that no plan lists any more stays, with what is still out, in case a later plan does. */
  readonly #made = new Map<string, Pool>();
  readonly #sharing = new Map<MemoryClass, Set<Budget>>();
  /** By handle, best first. */
  #listed: ReadonlyMap<string, ListedPool> = new Map();

  constructor(options: PoolsOptions) {
    const { heaps, buffers, inUse, pressure, later, clock } = options;
    this.#options = options;
    this.#heaps = new Map(heaps.map((heap) => [heap.id, heap]));
    this.#upkeep = new Upkeep(later);
    this.#idle = new Idle(later, clock, () => this.#made.values());
    this.#shortage = new Shortage({
      kernel: pressure,
      later,
      clock,
      shrink: (share) => {
        for (const pool of this.#made.values()) pool.shrink(share);
      },
    });
    this.#tools = {
      gate: new Gate(ALLOCATIONS_AT_ONCE),
      closer: new Closer(),
      upkeep: this.#upkeep,
      buffers,
      inUse,
      clock,
      plenty: this.#shortage,
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

  /**
   * Lists the pools of a plan. A pool that stays keeps its handle, what is out, and of what lies ready as much as the plan
   * allows.
   */
  apply(plans: readonly PoolPlan[]): PoolChanges {
    const before = this.#listed;
    const limits = new Map([...this.#made.values()].map((pool) => [pool, pool.budget.limit]));
    for (const pool of limits.keys()) pool.agree(NOTHING);
    const listed = plans.flatMap((plan): readonly ListedPool[] => {
      const heap = this.#heaps.get(plan.heap.id);
      if (heap === undefined) return [];
      const pool = this.#poolFor(plan, heap);
      pool.agree({ limit: plan.limit.value, warm: plan.warm.value, idle: plan.idle.value });
      return [{ pool, plan }];
    });
    this.#listed = new Map(listed.map((entry) => [entry.pool.handle, entry]));
    for (const pool of this.#made.values()) pool.trim();
    const now = this.list().map(({ pool }) => pool);
    return {
      added: now.filter(({ handle }) => !before.has(handle)),
      removed: [...before.values()].map(({ pool }) => pool).filter(({ handle }) => !this.#listed.has(handle)),
      changed: now.filter((pool) => before.has(pool.handle) && limits.get(pool) !== pool.budget.limit),
    };
  }

  /** Gives back what the heaps hold open. */
  close(): void {
    this.#upkeep.close();
    this.#idle.close();
    this.#shortage.close();
    for (const pool of this.#made.values()) pool.close();
    for (const heap of this.#heaps.values()) heap.close();
  }

  #poolFor(plan: PoolPlan, heap: Heap): Pool {
    const key = `${plan.class} ${plan.heap.id}`;
    const known = this.#made.get(key);
    if (known !== undefined) return known;
    const capacity = plan.heap.capacity?.value;
    const sharing = capacity === undefined ? this.#sharingOf(plan.class) : new Set<Budget>();
    const budget = new Budget(sharing, capacity);
    const identity = { handle: this.#newHandle(), class: plan.class, facts: plan.heap };
    const pool = new Pool(identity, heap, budget, this.#tools, (changed, expiry) => {
      this.#stockChanged(changed, expiry);
    });
    this.#made.set(key, pool);
    this.#upkeep.add(pool);
    return pool;
  }

  #stockChanged(pool: Pool, expiry = Infinity): void {
    const isStocked = pool.warm > 0n || [...this.#made.values()].some(({ warm }) => warm > 0n);
    if (isStocked) this.#idle.arm(expiry);
    else this.#idle.rest();
    this.#shortage.stocked(isStocked);
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
    const taken = new Set([...this.#made.values()].map(({ handle }) => handle));
    let handle = this.#options.randomHex(HANDLE_BYTES);
    while (taken.has(handle)) handle = this.#options.randomHex(HANDLE_BYTES);
    return handle;
  }
}

/** What a pool is allowed that no plan lists. */
const NOTHING: PoolTerms = { limit: 0n, warm: 0n, idle: 0 };
