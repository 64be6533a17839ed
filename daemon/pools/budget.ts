/** What policy, or an administrator, allows a pool. Bytes. */
export interface PoolAllowance {
  /** What may be out at once; the heap's capacity may be less. */
  readonly limit: bigint;
  /** What of it may lie ready. */
  readonly warm: bigint;
}

/** Parts at once with as many spare bytes as it can, up to `bytes`, and gives them back to the budget. */
export type EvictSpare = (bytes: bigint) => void;

/**
 * The bytes that a pool may have, and has: those that are out, and the spare ones that lie ready or are on their way
 * there. Both together keep to the limit, and spare ones give way to requests. Pools of one class that draw on the
 * machine's RAM stand in one set and have no more together than the largest of their limits, so that a second heap does
 * not double what policy allows; a heap with memory of its own is alone in its set.
 */
export class Budget {
  readonly #sharing: Set<Budget>;
  readonly #capacity: bigint | undefined;
  #allowance: PoolAllowance = { limit: 0n, warm: 0n };
  #live = 0n;
  #spare = 0n;
  #evictor: EvictSpare = () => undefined;

  /**
   * @param sharing everybody who draws on the same memory; this budget joins them
   * @param capacity bytes that the heap has of its own
   */
  constructor(sharing: Set<Budget>, capacity?: bigint) {
    this.#sharing = sharing.add(this);
    this.#capacity = capacity;
  }

  /** Counts for the others no more. */
  leave(): void {
    this.#sharing.delete(this);
  }

  get allowance(): PoolAllowance {
    return this.#allowance;
  }

  /** Changes what is allowed. What is out stays out; call `trim` when everybody in the set has what the plan allows. */
  set allowance(allowance: PoolAllowance) {
    this.#allowance = allowance;
  }

  /** Bytes that policy or an administrator allows. */
  get limit(): bigint {
    return this.#allowance.limit;
  }

  /** Bytes that are out. */
  get live(): bigint {
    return this.#live;
  }

  /** Bytes that lie ready, or are being made or cleared for it. */
  get spare(): bigint {
    return this.#spare;
  }

  /** Bytes that could still be taken; what is spare gives way. */
  get available(): bigint {
    let live = 0n;
    let limit = 0n;
    for (const budget of this.#sharing) {
      live += budget.#live;
      limit = larger(limit, budget.limit);
    }
    return atLeastNone(smaller(this.#most - this.#live, limit - live));
  }

  /** Spare bytes that there may be in all while as much is out as is now. */
  get spareAllowed(): bigint {
    return this.#spare + this.#spareAvailable;
  }

  /** Names who parts with spare bytes when room is needed. */
  onEvict(shed: EvictSpare): void {
    this.#evictor = shed;
  }

  /** Takes the bytes, or nothing when there is no room for all of them. Spare ones give way, here and in the set. */
  reserve(bytes: bigint): boolean {
    if (this.#excess(bytes) > 0n) {
      if (bytes > this.available) return false;
      this.#evict(bytes);
      if (this.#excess(bytes) > 0n) return false;
    }
    this.#live += bytes;
    return true;
  }

  /** Corrects what was reserved to what it really takes; changes nothing when there is no room for that. */
  adjust(reserved: bigint, real: bigint): boolean {
    if (real > reserved) return this.reserve(real - reserved);
    this.giveBack(reserved - real);
    return true;
  }

  /** Counts what is out already, and was counted by another process before. */
  adopt(bytes: bigint): void {
    this.#live += bytes;
  }

  giveBack(bytes: bigint): void {
    this.#live -= bytes;
  }

  /** Takes bytes for what shall lie ready, or nothing; nothing gives way to that. */
  reserveSpare(bytes: bigint): boolean {
    if (bytes > this.#spareAvailable) return false;
    this.#spare += bytes;
    return true;
  }

  /** The same correction as `adjust`. */
  adjustSpare(reserved: bigint, real: bigint): boolean {
    if (real > reserved) return this.reserveSpare(real - reserved);
    this.giveBackSpare(reserved - real);
    return true;
  }

  giveBackSpare(bytes: bigint): void {
    this.#spare -= bytes;
  }

  /** What lay ready is out. */
  spend(bytes: bigint): void {
    this.#spare -= bytes;
    this.#live += bytes;
  }

  /** What was out is spare, unless the limit or the warm budget has no room for it: then nothing changes. */
  save(bytes: bigint): boolean {
    this.#live -= bytes;
    const saved = this.reserveSpare(bytes);
    if (!saved) this.#live += bytes;
    return saved;
  }

  /** Whether more is spare, or out and spare, than is allowed. */
  get over(): boolean {
    return larger(this.#excess(0n), this.#spareExcess()) > 0n;
  }

  /** Has this pool, and the others of the set where that is not enough, part with the spare bytes that are too many. */
  trim(): void {
    this.#evict(0n);
    this.#evictSpare(this.#spareExcess());
  }

  #evict(bytes: bigint): void {
    this.#evictSpare(this.#excess(bytes));
    for (const budget of this.#sharing) budget.#evictSpare(this.#sharedExcess(bytes));
  }

  #evictSpare(bytes: bigint): void {
    if (bytes > 0n) this.#evictor(bytes);
  }

  get #spareAvailable(): bigint {
    return atLeastNone(-larger(this.#excess(0n), this.#spareExcess()));
  }

  /** By how many bytes there would be too many with `more` of them. */
  #excess(more: bigint): bigint {
    return larger(this.#ownExcess(more), this.#sharedExcess(more));
  }

  #ownExcess(more: bigint): bigint {
    return this.#live + this.#spare + more - this.#most;
  }

  #sharedExcess(more: bigint): bigint {
    let sum = more;
    let limit = 0n;
    for (const budget of this.#sharing) {
      sum += budget.#live + budget.#spare;
      limit = larger(limit, budget.limit);
    }
    return sum - limit;
  }

  /** By how many bytes too much is spare. */
  #spareExcess(): bigint {
    let sum = 0n;
    let warm = 0n;
    for (const budget of this.#sharing) {
      sum += budget.#spare;
      warm = larger(warm, budget.#allowance.warm);
    }
    return larger(this.#spare - this.#allowance.warm, sum - warm);
  }

  /** Bytes that may be out and spare together. */
  get #most(): bigint {
    return smaller(this.limit, this.#capacity ?? this.limit);
  }
}

const smaller = (a: bigint, b: bigint): bigint => (a < b ? a : b);
const larger = (a: bigint, b: bigint): bigint => (a > b ? a : b);
const atLeastNone = (bytes: bigint): bigint => larger(bytes, 0n);
