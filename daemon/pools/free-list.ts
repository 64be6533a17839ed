import type { OwnedFd } from '../../dbus/owned-fd.js';
import { type StockTarget, StockPlanner } from './stock-target.js';
import type { Budget } from './budget.js';
import type { PoolTools } from './tools.js';

/** A buffer that only its pool has. */
export type OwnBuffer = Omit<ReadyBuffer, 'since'>;

export interface FreeListOptions extends Pick<PoolTools, 'deferredClose' | 'clock'> {
  readonly budget: Budget;
  /**
   * Told when buffers came or went otherwise than by `take`, and when the last one is taken.
   * @param expiry when what came will have to go, in milliseconds of the broker's clock
   */
  readonly changed: (expiry?: number) => void;
}

/** A pool's ready buffers. All of them count as spare in its budget. */
export class FreeList {
  readonly #options: FreeListOptions;
  readonly #buffers = new ReadyBuffers();
  readonly #planner = new StockPlanner();
  #closed = false;

  constructor(options: FreeListOptions) {
    this.#options = options;
  }

  /** Bytes of memory behind the buffers. */
  get bytes(): bigint {
    return this.#buffers.bytes;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Milliseconds after which what was not asked for is given back. */
  set idle(milliseconds: number) {
    this.#planner.idle = milliseconds;
  }

  /** Buffers of a size. */
  ready(size: bigint): number {
    return this.#buffers.ready(size);
  }

  /** What should be ready in the room that there is. */
  target(): StockTarget {
    return this.#planner.exactly(this.#options.budget.spareAllowed, this.#options.clock());
  }

  /** About how many of a size should be ready. */
  should(size: bigint): number {
    const about = this.#planner.about(this.#options.budget.spareAllowed, this.#options.clock());
    return about.get(size) ?? this.target().get(size) ?? 0;
  }

  /** So many buffers of a size were asked, and given. @returns whether that says something about the stock */
  ask(size: bigint, count: number): boolean {
    if (this.#closed || this.#options.budget.allowance.warm === 0n) return false;
    this.#planner.ask(size, count, this.#options.clock());
    return true;
  }

  /** Takes as many of a size as there are, up to `count`; they count as out. */
  take(size: bigint, count: number): readonly ReadyBuffer[] {
    const taken = this.#buffers.take(size, count);
    for (const { bytes } of taken) this.#options.budget.spend(bytes);
    if (taken.length > 0 && this.bytes === 0n) this.#options.changed();
    return taken;
  }

  /** Takes back what was taken and not handed out. */
  putBack(buffers: readonly ReadyBuffer[]): void {
    for (const buffer of buffers) {
      if (!this.#closed && this.#options.budget.save(buffer.bytes)) this.#buffers.put(buffer);
      else {
        this.#options.budget.giveBack(buffer.bytes);
        this.#options.deferredClose.close(buffer.fd);
      }
    }
  }

  /** Takes a buffer that is ready now and counts as spare; one too many is ended. */
  put(buffer: OwnBuffer): void {
    if (this.#closed || this.#options.budget.over) {
      this.end(buffer);
      return;
    }
    this.#buffers.put({ ...buffer, since: this.#options.clock() });
    this.#options.changed(this.#endOf(buffer.size));
  }

  /** Ends a buffer that counts as spare. */
  end({ fd, bytes }: OwnBuffer): void {
    this.#options.deferredClose.close(fd);
    this.#options.budget.giveBackSpare(bytes);
  }

  /** Gives so many bytes back, or what there is: the size first that was asked longest ago. */
  shed(bytes: bigint): void {
    let left = bytes;
    while (left > 0n) {
      const buffer = this.#buffers.takeLeastAsked();
      if (buffer === undefined) break;
      this.end(buffer);
      left -= buffer.bytes;
    }
    if (left < bytes) this.#options.changed();
  }

  /** Reserves spare bytes for a size that lacks, in the place of buffers that should not be there if need be. */
  reserve(size: bigint): boolean {
    while (!this.#options.budget.reserveSpare(size)) {
      const surplus = this.#buffers.sizes.find((other) => this.ready(other) > this.should(other));
      const buffer = surplus === undefined ? undefined : this.#buffers.takeOldest(surplus);
      if (buffer === undefined) return false;
      this.end(buffer);
    }
    return true;
  }

  /** When `expire` has something to do, in milliseconds of the broker's clock; `Infinity` when nothing is ready. */
  get expiry(): number {
    return Math.min(...this.#buffers.sizes.map((size) => this.#endOf(size)));
  }

  /** Gives back the sizes that were not asked for, and of the others the surplus that lay for as long. */
  expire(): void {
    const now = this.#options.clock();
    const before = this.bytes;
    for (const size of this.#buffers.sizes)
      while (this.ready(size) > 0 && this.#endOf(size) <= now) {
        const buffer = this.#buffers.takeOldest(size);
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
    const asked = this.#planner.lastAsked(size) ?? -Infinity;
    const isSurplus = this.ready(size) > this.should(size);
    const since = isSurplus ? (this.#buffers.oldest(size) ?? asked) : asked;
    return Math.min(since, asked) + this.#planner.idle;
  }
}

/** A zeroed buffer without a label that only its pool has. */
export interface ReadyBuffer {
  /** The stock's while it is there. */
  readonly fd: OwnedFd;
  /** Bytes that it was made for: the size under which it is asked. */
  readonly size: bigint;
  /** Bytes of memory behind it; a heap may round up. */
  readonly bytes: bigint;
  /** When it came: milliseconds of the broker's clock. */
  readonly since: number;
}

/** Ready buffers by size. Of one size, the one that came last is taken first, so that those that are too many grow old. */
export class ReadyBuffers {
  /** The size that was asked longest ago comes first. None is empty. */
  readonly #shelves = new Map<bigint, ReadyBuffer[]>();
  #bytes = 0n;

  /** Bytes of memory behind all of them. */
  get bytes(): bigint {
    return this.#bytes;
  }

  get sizes(): readonly bigint[] {
    return [...this.#shelves.keys()];
  }

  /** Buffers of a size. */
  ready(size: bigint): number {
    return this.#shelves.get(size)?.length ?? 0;
  }

  put(buffer: ReadyBuffer): void {
    const shelf = this.#shelves.get(buffer.size);
    if (shelf === undefined) this.#shelves.set(buffer.size, [buffer]);
    else shelf.push(buffer);
    this.#bytes += buffer.bytes;
  }

  /** Takes as many of the size as there are, up to `count`, for a request. */
  take(size: bigint, count: number): readonly ReadyBuffer[] {
    const shelf = this.#shelves.get(size);
    if (shelf === undefined) return [];
    const taken = shelf.splice(-count);
    this.#shelves.delete(size);
    if (shelf.length > 0) this.#shelves.set(size, shelf);
    this.#count(taken);
    return taken;
  }

  /** Takes the oldest of the size that was asked longest ago. */
  takeLeastAsked(): ReadyBuffer | undefined {
    const [size] = this.#shelves.keys();
    return size === undefined ? undefined : this.takeOldest(size);
  }

  takeOldest(size: bigint): ReadyBuffer | undefined {
    const shelf = this.#shelves.get(size);
    const oldest = shelf?.shift();
    if (oldest === undefined) return undefined;
    if (shelf?.length === 0) this.#shelves.delete(size);
    this.#count([oldest]);
    return oldest;
  }

  /** When the oldest of a size came. */
  oldest(size: bigint): number | undefined {
    return this.#shelves.get(size)?.[0]?.since;
  }

  #count(taken: readonly ReadyBuffer[]): void {
    for (const { bytes } of taken) this.#bytes -= bytes;
  }
}
