import type { OwnedFd } from '../../dbus/owned-fd.js';
import type { Heap } from '../heaps/heap.js';
import type { PoolTools } from './tools.js';

/** Hands out a pool's memory, says whether it is back, and ends it. Descriptors of the pool's buffers are lent to it. */
export class Lender {
  readonly #heap: Heap;
  readonly #tools: Pick<PoolTools, 'inUse' | 'deferredClose'>;

  constructor(heap: Heap, tools: Pick<PoolTools, 'inUse' | 'deferredClose'>) {
    this.#heap = heap;
    this.#tools = tools;
  }

  /** A descriptor for a buffer's client; the caller's. @throws {DupError | KernelError} when there is none left */
  lend(fd: OwnedFd): OwnedFd {
    return this.#heap.lending?.lend(fd.number) ?? fd.dup();
  }

  /** Whether anything but the broker has a buffer, or a device works on it; undefined when that cannot be told. */
  isInUse(fd: OwnedFd): boolean | undefined {
    const { countsReferences, lending } = this.#heap;
    return countsReferences ? this.#tools.inUse(fd.number) : lending?.isLent(fd.number);
  }

  /** Closes a buffer to which no reference is left. @param bytes of memory behind it */
  end(fd: OwnedFd, bytes: bigint): void {
    const { lending } = this.#heap;
    // Where that cannot be told, another process may have it still.
    const isBack = lending?.isLent(fd.number) === false;
    const empty = isBack ? (number: number): Promise<void> => lending.empty(number, bytes) : undefined;
    this.#tools.deferredClose.close(fd, empty);
  }
}
