import type { Assortment } from './assortment.js';
import type { Budget } from './budget.js';
import { Stock, type ReadyBuffer } from './stock.js';
import type { PoolTools } from './tools.js';
import { Wanted } from './wanted.js';

/** A buffer that nobody but its pool has. */
export type OwnBuffer = Omit<ReadyBuffer, 'since'>;

export interface WarmOptions extends Pick<PoolTools, 'closer' | 'clock'> {
  readonly budget: Budget;
  /**
   * Told when buffers came or went otherwise than by `take`, and when the last one is taken.
   * @param expiry when what came will have to go, in milliseconds of the broker's clock
   */
  readonly changed: (expiry?: number) => void;
}

/** A pool's ready buffers. All of them count as spare in its budget. */
export class WarmStock {
  readonly #options: WarmOptions;
  readonly #stock = new Stock();
  readonly #wanted = new Wanted();
  #closed = false;

  constructor(options: WarmOptions) {
    this.#options = options;
  }

  /** Bytes of memory behind the buffers. */
  get bytes(): bigint {
    return this.#stock.bytes;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Milliseconds after which what nobody asked for is given back. */
  set idle(milliseconds: number) {
    this.#wanted.idle = milliseconds;
  }

  /** Buffers of a size. */
  ready(size: bigint): number {
    return this.#stock.ready(size);
  }

  /** What should be ready in the room that there is. */
  assortment(): Assortment {
    return this.#wanted.exactly(this.#options.budget.spareAllowed, this.#options.clock());
  }

  /** About how many of a size should be ready. */
  should(size: bigint): number {
    const about = this.#wanted.about(this.#options.budget.spareAllowed, this.#options.clock());
    return about.get(size) ?? this.assortment().get(size) ?? 0;
  }

  /** So many buffers of a size were asked, and given. @returns whether that says something about the stock */
  ask(size: bigint, count: number): boolean {
    if (this.#closed || this.#options.budget.allowance.warm === 0n) return false;
    this.#wanted.ask(size, count, this.#options.clock());
    return true;
  }

  /** Takes as many of a size as there are, up to `count`; they count as out. */
  take(size: bigint, count: number): readonly ReadyBuffer[] {
    const taken = this.#stock.take(size, count);
    for (const { bytes } of taken) this.#options.budget.spend(bytes);
    if (taken.length > 0 && this.bytes === 0n) this.#options.changed();
    return taken;
  }

  /** Takes back what was taken and handed out to nobody. */
  putBack(buffers: readonly ReadyBuffer[]): void {
    for (const buffer of buffers) {
      if (!this.#closed && this.#options.budget.save(buffer.bytes)) this.#stock.put(buffer);
      else {
        this.#options.budget.giveBack(buffer.bytes);
        this.#options.closer.close(buffer.fd);
      }
    }
  }

  /** Takes a buffer that is ready now and counts as spare; one too many is ended. */
  put(buffer: OwnBuffer): void {
    if (this.#closed || this.#options.budget.over) {
      this.end(buffer);
      return;
    }
    this.#stock.put({ ...buffer, since: this.#options.clock() });
    this.#options.changed(this.#endOf(buffer.size));
  }

  /** Ends a buffer that counts as spare. */
  end({ fd, bytes }: OwnBuffer): void {
    this.#options.closer.close(fd);
    this.#options.budget.giveBackSpare(bytes);
  }

  /** Gives so many bytes back, or what there is: the size first that was asked longest ago. */
  shed(bytes: bigint): void {
    let left = bytes;
    while (left > 0n) {
      const buffer = this.#stock.takeLeastAsked();
      if (buffer === undefined) break;
      this.end(buffer);
      left -= buffer.bytes;
    }
    if (left < bytes) this.#options.changed();
  }

  /** Reserves spare bytes for a size that lacks, in the place of buffers that should not be there if need be. */
  reserve(size: bigint): boolean {
    while (!this.#options.budget.reserveSpare(size)) {
      const surplus = this.#stock.sizes.find((other) => this.ready(other) > this.should(other));
      const buffer = surplus === undefined ? undefined : this.#stock.takeOldest(surplus);
      if (buffer === undefined) return false;
      this.end(buffer);
    }
    return true;
  }

  /** When `expire` has something to do, in milliseconds of the broker's clock; `Infinity` when nothing is ready. */
  get expiry(): number {
    return Math.min(...this.#stock.sizes.map((size) => this.#endOf(size)));
  }

  /** Gives back the sizes that nobody asked for, and of the others what lay for as long beside what should be there. */
  expire(): void {
    const now = this.#options.clock();
    const before = this.bytes;
    for (const size of this.#stock.sizes)
      while (this.ready(size) > 0 && this.#endOf(size) <= now) {
        const buffer = this.#stock.takeOldest(size);
        if (buffer !== undefined) this.end(buffer);
      }
    if (this.bytes < before) this.#options.changed();
  }

  /** Gives everything back, and keeps nothing any more. */
  close(): void {
    this.#closed = true;
    this.shed(this.bytes);
  }

  /** When the oldest buffer of a size should go. */
  #endOf(size: bigint): number {
    const asked = this.#wanted.lastAsked(size) ?? -Infinity;
    const isSurplus = this.ready(size) > this.should(size);
    const since = isSurplus ? (this.#stock.oldest(size) ?? asked) : asked;
    return Math.min(since, asked) + this.#wanted.idle;
  }
}
