/**
 * The bytes that a pool may have out, and has. Pools of one class that draw on the machine's RAM stand in one set and
 * hold no more together than the largest of their limits, so that a second heap does not double what policy allows; a
 * heap with memory of its own is alone in its set.
 */
export class Budget {
  readonly #sharing: ReadonlySet<Budget>;
  readonly #capacity: bigint | undefined;
  #limit = 0n;
  #live = 0n;

  /**
   * @param sharing everybody who draws on the same memory; this budget joins them
   * @param capacity bytes that the heap has of its own
   */
  constructor(sharing: Set<Budget>, capacity?: bigint) {
    this.#sharing = sharing.add(this);
    this.#capacity = capacity;
  }

  /** Bytes that policy or an administrator allows; the heap's capacity may be less. */
  get limit(): bigint {
    return this.#limit;
  }

  set limit(bytes: bigint) {
    this.#limit = bytes;
  }

  /** Bytes that are out. */
  get live(): bigint {
    return this.#live;
  }

  /** Bytes that could still be taken. */
  get room(): bigint {
    let shared = 0n;
    let used = 0n;
    for (const budget of this.#sharing) {
      if (budget.#limit > shared) shared = budget.#limit;
      used += budget.#live;
    }
    const rooms = [this.#limit - this.#live, shared - used, (this.#capacity ?? this.#limit) - this.#live];
    const least = rooms.reduce((least, room) => (room < least ? room : least));
    return least > 0n ? least : 0n;
  }

  /** Takes the bytes, or nothing when there is no room for all of them. */
  reserve(bytes: bigint): boolean {
    if (bytes > this.room) return false;
    this.#live += bytes;
    return true;
  }

  /** Corrects what was reserved to what it really takes; changes nothing when there is no room for that. */
  adjust(reserved: bigint, real: bigint): boolean {
    if (real > reserved) return this.reserve(real - reserved);
    this.giveBack(reserved - real);
    return true;
  }

  giveBack(bytes: bigint): void {
    this.#live -= bytes;
  }
}
