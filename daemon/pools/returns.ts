import { OwnedFd } from '../../dbus/owned-fd.js';
import type { Budget } from './budget.js';
import { makeClean } from './cleaner.js';
import type { PoolTools } from './tools.js';
import type { OwnBuffer, WarmStock } from './warm.js';

/** As many times as many as should lie ready are kept when they come back, so that fewer have to be made. */
const KEPT = 2;

/** Buffers that nobody holds any more, on their way back to the stock. They count as spare. */
export class Returns {
  readonly #warm: WarmStock;
  readonly #budget: Budget;
  readonly #tools: PoolTools;
  /** Not cleared yet; the last one is next. */
  readonly #waiting: OwnBuffer[] = [];
  /** Buffers of each size that wait or are being cleared. */
  readonly #coming = new Map<bigint, number>();

  constructor(warm: WarmStock, budget: Budget, tools: PoolTools) {
    this.#warm = warm;
    this.#budget = budget;
    this.#tools = tools;
  }

  /** Buffers of a size that will be ready soon. */
  coming(size: bigint): number {
    return this.#coming.get(size) ?? 0;
  }

  /** Takes a buffer that counts as out, if it is wanted. Otherwise nothing changes. */
  accept({ fd, size, bytes }: OwnBuffer): boolean {
    if (this.#warm.closed) return false;
    if (this.#warm.ready(size) + this.coming(size) >= KEPT * this.#warm.should(size)) return false;
    if (!this.#tools.plenty.mayKeep || !this.#budget.save(bytes)) return false;
    // Whoever still has the old object has lost the descriptor.
    this.#waiting.push({ fd: new OwnedFd(fd.release()), size, bytes });
    this.#coming.set(size, this.coming(size) + 1);
    return true;
  }

  /** Begins to clear one; undefined when there is none. */
  clean(): Promise<void> | undefined {
    const buffer = this.#waiting.pop();
    return buffer === undefined ? undefined : this.#clean(buffer);
  }

  /** Ends so many bytes of what is not cleared yet. @returns bytes that it could not */
  shed(bytes: bigint): bigint {
    let left = bytes;
    while (left > 0n) {
      const buffer = this.#waiting.shift();
      if (buffer === undefined) break;
      this.#cameOrEnded(buffer);
      this.#warm.end(buffer);
      left -= buffer.bytes;
    }
    return left;
  }

  async #clean(buffer: OwnBuffer): Promise<void> {
    const isClean = await makeClean(buffer.fd, this.#tools);
    this.#cameOrEnded(buffer);
    if (isClean && this.#tools.plenty.mayKeep) this.#warm.put(buffer);
    else this.#warm.end(buffer);
  }

  #cameOrEnded({ size }: OwnBuffer): void {
    const others = this.coming(size) - 1;
    if (others > 0) this.#coming.set(size, others);
    else this.#coming.delete(size);
  }
}
