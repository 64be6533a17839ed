import type { OwnedFd } from '../../dbus/owned-fd.js';

/** A zeroed buffer without a label that nobody but its pool has. */
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
export class Stock {
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

  /** Takes as many of the size as there are, up to `count`, for somebody who asks. */
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
