/** Bytes that caches hold together, by an estimate of each entry, and their bound. */
export class CacheMemory {
  readonly most: number;
  readonly #caches: { readonly bytes: number; forgetSome(): void }[] = [];

  /** @param most bytes of all caches together */
  constructor(most: number) {
    this.most = most;
  }

  get bytes(): number {
    return this.#caches.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  add(cache: { readonly bytes: number; forgetSome(): void }): void {
    this.#caches.push(cache);
  }

  /** Has the largest cache forget what was not used lately, until all keep to the bound. */
  settle(): void {
    while (this.bytes > this.most) {
      const largest = this.#caches.reduce((one, other) => (other.bytes > one.bytes ? other : one));
      largest.forgetSome();
    }
  }
}

/** Entries of about the same age. */
class Generation<Key, Value> {
  readonly entries = new Map<Key, Value>();
  bytes = 0;
}

/**
 * Remembers what was used lately: at least the last `size` entries, and at most twice as many, unless the memory that it
 * shares with other caches has no room for them. A look costs the same however many there are.
 */
export class BoundedCache<Key, Value extends object> {
  readonly #size: number;
  readonly #memory: CacheMemory | undefined;
  readonly #bytesOf: (key: Key, value: Value) => number;
  /** Bytes of the entries that are not forgotten at once when there is no room. */
  readonly #generationBytes: number;
  #young = new Generation<Key, Value>();
  #old = new Generation<Key, Value>();

  /** @param bytesOf an estimate of all that is remembered because of an entry */
  constructor(size: number, memory?: CacheMemory, bytesOf: (key: Key, value: Value) => number = () => 0) {
    this.#size = size;
    this.#memory = memory;
    this.#bytesOf = bytesOf;
    this.#generationBytes = (memory?.most ?? Infinity) / 4;
    memory?.add(this);
  }

  /** What it holds, by the estimate. */
  get bytes(): number {
    return this.#young.bytes + this.#old.bytes;
  }

  get(key: Key): Value | undefined {
    const young = this.#young.entries.get(key);
    if (young !== undefined) return young;
    const old = this.#old.entries.get(key);
    if (old !== undefined) this.set(key, old);
    return old;
  }

  /** Whether it is there, which does not count as a use. */
  has(key: Key): boolean {
    return this.#young.entries.has(key) || this.#old.entries.has(key);
  }

  set(key: Key, value: Value): void {
    const { entries, bytes } = this.#young;
    if (entries.size >= this.#size || bytes >= this.#generationBytes) this.#age();
    this.#young.entries.set(key, value);
    this.#young.bytes += this.#bytesOf(key, value);
    this.#memory?.settle();
  }

  /** Forgets what was not used lately, or everything where there is no such. */
  forgetSome(): void {
    if (this.#old.bytes === 0) this.#young = new Generation();
    this.#old = new Generation();
  }

  #age(): void {
    this.#old = this.#young;
    this.#young = new Generation();
  }
}
