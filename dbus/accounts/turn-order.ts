/** What takes turns. */
export interface Consumer {
  /** What it used so far, in the unit of the order; only ever grows. */
  used: number;
}

interface Entry<T> {
  readonly item: T;
  /** What it had used when it came in. */
  readonly start: number;
  /** Counts those that came in, so that equal ones go in the order in which they came. */
  readonly number: number;
}

/**
 * Whose turn it is by what each has used (start-time fair queueing): the one that used least is next. One that rested
 * comes in with as much as the one whose turn it is, so that a rest saves up nothing, and nothing of the past counts for
 * longer than others have a turn for it. Each step takes the logarithm of how many there are.
 */
export class TurnOrder<T extends Consumer> {
  /** A binary heap. Entries of items that were removed or came in again stay until they reach the top. */
  readonly #heap: Entry<T>[] = [];
  readonly #entries = new Map<T, Entry<T>>();
  #now = 0;
  #count = 0;

  get empty(): boolean {
    return this.#entries.size === 0;
  }

  /** Has it wait for a turn; nothing happens when it does already. */
  add(item: T): void {
    if (this.#entries.has(item)) return;
    item.used = Math.max(item.used, this.#now);
    this.#count += 1;
    const entry = { item, start: item.used, number: this.#count };
    this.#entries.set(item, entry);
    this.#heap.push(entry);
    this.#rise(this.#heap.length - 1);
  }

  remove(item: T): void {
    this.#entries.delete(item);
  }

  /** Takes out the one whose turn it is. */
  take(): T | undefined {
    for (let entry = this.#pop(); entry !== undefined; entry = this.#pop()) {
      const { item, start } = entry;
      if (this.#entries.get(item) !== entry) continue;
      this.#entries.delete(item);
      // It was charged while it waited.
      if (item.used > start) {
        this.add(item);
        continue;
      }
      this.#now = start;
      return item;
    }
    return undefined;
  }

  /** Counts what one used that was served while nothing waited, and so took its turn at once. */
  serveAtOnce(item: T, cost: number): void {
    item.used = Math.max(item.used, this.#now);
    if (this.empty) this.#now = item.used;
    item.used += cost;
  }

  clear(): void {
    this.#heap.length = 0;
    this.#entries.clear();
  }

  #pop(): Entry<T> | undefined {
    const [top] = this.#heap;
    const last = this.#heap.pop();
    if (top === undefined || last === undefined) return undefined;
    if (this.#heap.length > 0) {
      this.#heap[0] = last;
      this.#sink(0);
    }
    return top;
  }

  #rise(from: number): void {
    let at = from;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (!this.#swapped(above, at)) return;
      at = above;
    }
  }

  #sink(from: number): void {
    let at = from;
    for (;;) {
      const [left, right] = [2 * at + 1, 2 * at + 2];
      const below = this.#precedes(right, left) ? right : left;
      if (!this.#swapped(at, below)) return;
      at = below;
    }
  }

  /** Changes two places when the lower one goes first. */
  #swapped(above: number, below: number): boolean {
    const [upper, lower] = [this.#heap[above], this.#heap[below]];
    if (upper === undefined || lower === undefined || !this.#precedes(below, above)) return false;
    this.#heap[above] = lower;
    this.#heap[below] = upper;
    return true;
  }

  #precedes(one: number, other: number): boolean {
    const [first, second] = [this.#heap[one], this.#heap[other]];
    if (first === undefined || second === undefined) return false;
    return first.start === second.start ? first.number < second.number : first.start < second.start;
  }
}
