import { OwnedFd } from '../../dbus/owned-fd.js';
import type { Budget } from './budget.js';
import type { PoolTools } from './tools.js';
import type { OwnBuffer, FreeList } from './free-list.js';

/** Returned buffers are kept up to this multiple of the stock target, so that fewer have to be made. */
const KEEP_FACTOR = 2;

/** Buffers without a holder, on their way back to the stock. They count as spare. */
export class Reclaim {
  readonly #freeList: FreeList;
  readonly #budget: Budget;
  readonly #tools: PoolTools;
  /** Not cleared yet; the last one is next. */
  readonly #waiting: OwnBuffer[] = [];
  /** Buffers of each size that wait or are being cleared. */
  readonly #coming = new Map<bigint, number>();

  constructor(freeList: FreeList, budget: Budget, tools: PoolTools) {
    this.#freeList = freeList;
    this.#budget = budget;
    this.#tools = tools;
  }

  /** Buffers of a size that will be ready soon. */
  coming(size: bigint): number {
    return this.#coming.get(size) ?? 0;
  }

  /** Takes a buffer that counts as out, if it is wanted. Otherwise nothing changes. */
  accept({ fd, size, bytes }: OwnBuffer): boolean {
    if (this.#freeList.closed) return false;
    if (this.#freeList.ready(size) + this.coming(size) >= KEEP_FACTOR * this.#freeList.should(size))
      return false;
    if (!this.#tools.headroom.mayKeep || !this.#budget.save(bytes)) return false;
    // A caller that still has the old object has lost the descriptor.
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
      this.#freeList.end(buffer);
      left -= buffer.bytes;
    }
    return left;
  }

  async #clean(buffer: OwnBuffer): Promise<void> {
    const isScrubbed = await scrub(buffer.fd, this.#tools);
    this.#cameOrEnded(buffer);
    if (isScrubbed && this.#tools.headroom.mayKeep) this.#freeList.put(buffer);
    else this.#freeList.end(buffer);
  }

  #cameOrEnded({ size }: OwnBuffer): void {
    const others = this.coming(size) - 1;
    if (others > 0) this.#coming.set(size, others);
    else this.#coming.delete(size);
  }
}

/**
 * Makes a buffer that came back as good as a fresh one: it has no other holder, no label, and every byte is zero.
 * A former holder may have labelled it too.
 * @returns false when that cannot be had or told; the buffer is then not to be used again
 */
async function scrub(
  { number: fd }: OwnedFd,
  { buffers, semaphore, inUse }: Pick<PoolTools, 'buffers' | 'semaphore' | 'inUse'>,
): Promise<boolean> {
  try {
    // From here on no client can get it, so it stays as it is cleared.
    if (inUse(fd)) return false;
    buffers.setName(fd, '');
    await semaphore.run(() => buffers.clear(fd));
    return true;
  } catch {
    return false;
  }
}
