import type { Requester } from '../../dbus/accounts/account.js';
import type { OwnedFd } from '../../dbus/owned-fd.js';
import type { Heap, Picture } from '../heaps/heap.js';
import { KernelError } from '../kernel/errors.js';
import type { Budget } from './budget.js';
import type { PoolTools } from './tools.js';
import type { Origin } from './fd-store.js';
import type { OwnBuffer } from './free-list.js';

/** Buffers that count as out, or what the pool has no room of. */
export type Made =
  | { readonly ok: true; readonly buffers: readonly OwnBuffer[] }
  | { readonly ok: false; readonly lacks: 'budget' | 'memory' };

/** Buffers of one size that a request lacks. */
export interface BufferOrder {
  /** Bytes of one. */
  readonly size: bigint;
  readonly count: number;
  /** Those who ask take turns at having buffers made. */
  readonly requester: Requester | undefined;
  /** What they are for, where the heap must know it. */
  readonly picture: Picture | undefined;
}

/** Makes buffers for a request. */
export class BufferAllocator {
  readonly #heap: Heap;
  readonly #origin: Origin;
  readonly #budget: Budget;
  readonly #tools: PoolTools;

  constructor(heap: Heap, origin: Origin, budget: Budget, tools: PoolTools) {
    this.#heap = heap;
    this.#origin = origin;
    this.#budget = budget;
    this.#tools = tools;
  }

  /**
   * Makes zeroed buffers, all or nothing. The budget is taken before the memory is, so that requests that run at
   * the same time cannot pass the limit together.
   * @throws {KernelError} for every failure but a lack of memory
   */
  async make(order: BufferOrder): Promise<Made> {
    const { size, count } = order;
    const reserved = size * BigInt(count);
    if (!(await this.#reserve(reserved))) return { ok: false, lacks: 'budget' };
    let fds: readonly OwnedFd[] = [];
    try {
      fds = await this.#allocate(order);
      const buffers = fds.map((fd) => ({ fd, size, bytes: this.#tools.buffers.size(fd.number) }));
      const real = buffers.reduce((sum, { bytes }) => sum + bytes, 0n);
      // The heap rounds up to its own step, which is known only now.
      if (!this.#budget.adjust(reserved, real)) {
        this.#drop(fds, reserved);
        return { ok: false, lacks: 'budget' };
      }
      const origin = this.#origin;
      await this.#tools.fdStore.deposit(
        buffers.map(({ fd, bytes }) => ({ fd: fd.number, origin, size, bytes })),
      );
      return { ok: true, buffers };
    } catch (error) {
      this.#drop(fds, reserved);
      if (isOutOfMemory(error)) return { ok: false, lacks: 'memory' };
      throw error;
    }
  }

  async #reserve(bytes: bigint): Promise<boolean> {
    if (this.#budget.reserve(bytes)) return true;
    if (bytes > this.#budget.available) return false;
    // What is just being made or cleared cannot give way before it is done.
    return this.#tools.maintenance.between(() => this.#budget.reserve(bytes));
  }

  #drop(fds: readonly OwnedFd[], bytes: bigint): void {
    for (const fd of fds) this.#tools.deferredClose.close(fd);
    this.#budget.giveBack(bytes);
  }

  async #allocate(order: BufferOrder): Promise<readonly OwnedFd[]> {
    const { deferredClose, maintenance, giveWay } = this.#tools;
    const wasFreeing = deferredClose.busy;
    try {
      return await this.#allocateOnce(order);
    } catch (error) {
      if (!isOutOfMemory(error)) throw error;
      const gaveWay = await maintenance.between(giveWay);
      // What gave way, or was given back just before, may still be on its way to the heap.
      if (!wasFreeing && !gaveWay) throw error;
      await deferredClose.settled();
      return this.#allocateOnce(order);
    }
  }

  async #allocateOnce({ size, count, requester, picture }: BufferOrder): Promise<readonly OwnedFd[]> {
    let failed = false;
    const one = async (): Promise<OwnedFd | undefined> => {
      // When one has failed the others are not wanted any more.
      if (failed) return undefined;
      try {
        return await this.#heap.allocate(size, picture);
      } catch (error) {
        failed = true;
        throw error;
      }
    };
    const { semaphore, deferredClose } = this.#tools;
    const results = await Promise.allSettled(
      Array.from({ length: count }, () => semaphore.run(one, requester)),
    );
    const fds = results.flatMap((result) =>
      result.status === 'fulfilled' && result.value !== undefined ? [result.value] : [],
    );
    const failure = results.find((result) => result.status === 'rejected');
    if (failure === undefined) return fds;
    for (const fd of fds) deferredClose.close(fd);
    throw failure.reason;
  }
}

/** Whether a heap said that it has no such memory (a memfd's file system says ENOSPC). */
const isOutOfMemory = (error: unknown): boolean =>
  error instanceof KernelError && (error.code === 'ENOMEM' || error.code === 'ENOSPC');
