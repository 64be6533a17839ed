import type { MemoryClass } from '../../dbus/names.js';
import type { OwnedFd } from '../../dbus/owned-fd.js';
import type { HeapFacts } from '../devices/inventory.js';
import type { Heap } from '../heaps/heap.js';
import { isOutOfMemory } from './out-of-memory.js';
import type { Budget } from './budget.js';
import type { Closer } from './closer.js';
import type { Gate } from './gate.js';

export interface PoolView {
  /** Random for every start of the daemon. */
  readonly handle: string;
  readonly class: MemoryClass;
  /** Bytes. */
  readonly limit: bigint;
  readonly live: bigint;
  readonly warm: bigint;
  /** Buffers. */
  readonly hits: bigint;
  readonly misses: bigint;
}

/** A buffer that is out, and what its pool counts for it. Whoever has it gives it back to the pool. */
export interface PoolBuffer {
  readonly pool: Pool;
  /** The broker's own descriptor; lent, and closed by the pool. */
  readonly fd: OwnedFd;
  /** Bytes of memory behind it. */
  readonly bytes: bigint;
}

/** What a pool answers: the buffers, or that its budget or its heap has no room for them. */
export type Taken =
  | { readonly ok: true; readonly buffers: readonly PoolBuffer[] }
  | { readonly ok: false; readonly lacks: 'budget' | 'memory' };

const LACKS_BUDGET: Taken = { ok: false, lacks: 'budget' };
const LACKS_MEMORY: Taken = { ok: false, lacks: 'memory' };

/** What all pools share. */
export interface PoolTools {
  readonly gate: Gate;
  readonly closer: Closer;
  /** Bytes of memory behind a buffer. @throws {KernelError} */
  readonly sizeOf: (fd: number) => bigint;
}

export interface PoolIdentity {
  readonly handle: string;
  readonly class: MemoryClass;
  readonly facts: HeapFacts;
}

/** The broker's budget of one memory class from one heap, and the way to its buffers. */
export class Pool {
  readonly handle: string;
  readonly class: MemoryClass;
  readonly facts: HeapFacts;
  readonly budget: Budget;
  readonly #heap: Heap;
  readonly #tools: PoolTools;
  #misses = 0n;

  constructor(
    { handle, class: memoryClass, facts }: PoolIdentity,
    heap: Heap,
    budget: Budget,
    tools: PoolTools,
  ) {
    this.handle = handle;
    this.class = memoryClass;
    this.facts = facts;
    this.budget = budget;
    this.#heap = heap;
    this.#tools = tools;
  }

  /** Whether the kernel tells who still holds one of its buffers; of a plain memfd it does not. */
  get countsReferences(): boolean {
    return this.#heap.countsReferences;
  }

  view(): PoolView {
    const { handle, class: memoryClass, budget } = this;
    const { limit, live } = budget;
    return { handle, class: memoryClass, limit, live, warm: 0n, hits: 0n, misses: this.#misses };
  }

  /**
   * Takes `count` zeroed buffers of at least `size` bytes, all or nothing. The budget is taken before the memory is, so
   * that requests that run at the same time cannot pass the limit together.
   * @throws {KernelError} for every failure but a lack of memory
   */
  async take(size: bigint, count: number): Promise<Taken> {
    const reserved = size * BigInt(count);
    if (!this.budget.reserve(reserved)) return LACKS_BUDGET;
    let fds: readonly OwnedFd[] = [];
    try {
      fds = await this.#allocate(size, count);
      const buffers = fds.map((fd) => ({ pool: this, fd, bytes: this.#tools.sizeOf(fd.number) }));
      const real = buffers.reduce((sum, { bytes }) => sum + bytes, 0n);
      // The heap rounds up to its own step, which is known only now.
      if (!this.budget.adjust(reserved, real)) {
        this.#drop(fds, reserved);
        return LACKS_BUDGET;
      }
      this.#misses += BigInt(count);
      return { ok: true, buffers };
    } catch (error) {
      this.#drop(fds, reserved);
      if (isOutOfMemory(error)) return LACKS_MEMORY;
      throw error;
    }
  }

  /** Ends a buffer: its memory goes back to the kernel, its bytes to the budget. */
  free({ fd, bytes }: PoolBuffer): void {
    this.#drop([fd], bytes);
  }

  #drop(fds: readonly OwnedFd[], bytes: bigint): void {
    for (const fd of fds) this.#tools.closer.close(fd);
    this.budget.giveBack(bytes);
  }

  async #allocate(size: bigint, count: number): Promise<readonly OwnedFd[]> {
    const { closer } = this.#tools;
    const wasFreeing = closer.busy;
    try {
      return await this.#allocateOnce(size, count);
    } catch (error) {
      // What others gave back just before may not have reached the heap yet.
      if (!isOutOfMemory(error) || !wasFreeing) throw error;
      await closer.settled();
      return this.#allocateOnce(size, count);
    }
  }

  async #allocateOnce(size: bigint, count: number): Promise<readonly OwnedFd[]> {
    let failed = false;
    const one = async (): Promise<OwnedFd | undefined> => {
      // When one has failed the others are not wanted any more.
      if (failed) return undefined;
      try {
        return await this.#heap.allocate(size);
      } catch (error) {
        failed = true;
        throw error;
      }
    };
    const { gate, closer } = this.#tools;
    const results = await Promise.allSettled(Array.from({ length: count }, () => gate.run(one)));
    const fds = results.flatMap((result) =>
      result.status === 'fulfilled' && result.value !== undefined ? [result.value] : [],
    );
    const failure = results.find((result) => result.status === 'rejected');
    if (failure === undefined) return fds;
    for (const fd of fds) closer.close(fd);
    throw failure.reason;
  }
}
