import type { OwnedFd } from '../../dbus/owned-fd.js';
import type { Heap } from '../heaps/heap.js';
import type { Budget } from './budget.js';
import type { PoolTools } from './tools.js';
import type { Origin } from './fd-store.js';
import type { OwnBuffer, FreeList } from './free-list.js';

/** Milliseconds until a heap that gave nothing is asked again. */
const RETRY_DELAY_MS = 10_000;

/** Makes buffers that should lie ready. They count as spare before they are there. */
export class Refill {
  readonly #heap: Heap;
  readonly #origin: Origin;
  readonly #freeList: FreeList;
  readonly #budget: Budget;
  readonly #tools: PoolTools;
  /** When the heap may be asked again. */
  #notBefore = 0;

  constructor(heap: Heap, origin: Origin, freeList: FreeList, budget: Budget, tools: PoolTools) {
    this.#heap = heap;
    this.#origin = origin;
    this.#freeList = freeList;
    this.#budget = budget;
    this.#tools = tools;
  }

  /** Begins to make one; undefined when none lacks, or now is not the time. */
  make(coming: (size: bigint) => number): Promise<void> | undefined {
    const { headroom, clock } = this.#tools;
    if (this.#freeList.closed || clock() < this.#notBefore) return undefined;
    for (const [size, count] of this.#freeList.target()) {
      if (this.#freeList.ready(size) + coming(size) >= count) continue;
      return headroom.mayGrow(size) && this.#freeList.reserve(size) ? this.#make(size) : undefined;
    }
    return undefined;
  }

  async #make(size: bigint): Promise<void> {
    const buffer = await this.#allocate(size);
    if (buffer !== undefined) {
      await this.#tools.fdStore.deposit([{ ...buffer, fd: buffer.fd.number, origin: this.#origin }]);
      this.#freeList.put(buffer);
      return;
    }
    this.#budget.giveBackSpare(size);
    this.#notBefore = this.#tools.clock() + RETRY_DELAY_MS;
  }

  /** Does not report a failure: the next request learns what the heap has. */
  async #allocate(size: bigint): Promise<OwnBuffer | undefined> {
    let fd: OwnedFd | undefined;
    try {
      fd = await this.#tools.semaphore.run(() => this.#heap.allocate(size));
      const bytes = this.#tools.buffers.size(fd.number);
      if (this.#budget.adjustSpare(size, bytes)) return { fd, size, bytes };
    } catch {
      // Tried again later.
    }
    if (fd !== undefined) this.#tools.deferredClose.close(fd);
    return undefined;
  }
}
