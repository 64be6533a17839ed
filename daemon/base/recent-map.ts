/** A map with a bound: of more, the least recently used is forgotten. */
export class RecentMap<Key, Value> {
  readonly #most: number;
  readonly #entries = new Map<Key, Value>();

  constructor(most: number) {
    this.#most = most;
  }

  /**
   * The value of a key, which is the most recently used from now on.
   * @param make its value when it has none
   * @returns and what was forgotten for it
   */
  use(key: Key, make: () => Value): { readonly value: Value; readonly forgotten?: readonly [Key, Value] } {
    const value = this.#entries.get(key) ?? make();
    this.#entries.delete(key);
    this.#entries.set(key, value);
    const [oldest] = this.#entries;
    if (this.#entries.size <= this.#most || oldest === undefined) return { value };
    this.#entries.delete(oldest[0]);
    return { value, forgotten: oldest };
  }

  values(): Iterable<Value> {
    return this.#entries.values();
  }

  clear(): void {
    this.#entries.clear();
  }
}
