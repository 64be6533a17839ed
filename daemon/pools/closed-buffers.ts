import type { Requester } from '../../dbus/accounts/account.js';
import type { OwnedFd } from '../../dbus/owned-fd.js';
import type { Heap, Remains } from '../heaps/heap.js';
import { KernelError } from '../kernel/errors.js';
import type { PoolTools } from './tools.js';

/** A buffer of a heap whose memory can outlive its dma-buf. */
interface FollowedBuffer {
  readonly fd: OwnedFd;
  /** Bytes that it was made for. */
  readonly size: bigint;
  /** Bytes of memory behind it. */
  readonly bytes: bigint;
}

type Tools = Pick<PoolTools, 'semaphore' | 'deferredClose'>;

/** What a pool says of its closed buffers. */
interface Rules<Buffer> {
  /** Whether the kernel was seen to tell rightly that an object lives. */
  readonly isTold: boolean;
  /** Whether the heap is gone: then nothing is left to prove. */
  isGone(): boolean;
  /** Called once for each freed buffer, when its memory is proved to be gone. */
  uncount(buffer: Buffer): void;
}

/** Replacements in a row without proof, after which the rest are assumed to be held. */
const MAX_WITHOUT_PROOF = 8;

/**
 * Buffers whose descriptor is closed while their memory may be held. One that was freed counts against its pool and its user
 * until its end is proved. Where the kernel does not tell that end, only new memory in the place of the old proves it, so
 * such memory is made when nothing but the lack of proof would refuse a request.
 */
export class ClosedBuffers<Buffer extends FollowedBuffer> {
  readonly #heap: Heap;
  readonly #tools: Tools;
  readonly #rules: Rules<Buffer>;
  readonly #remains = new WeakMap<Buffer, Remains>();
  /** Freed before their end was proved. */
  readonly #unproved = new Set<Buffer>();
  #replacing: Promise<void> | undefined;

  constructor(heap: Heap, tools: Tools, rules: Rules<Buffer>) {
    this.#heap = heap;
    this.#tools = tools;
    this.#rules = rules;
  }

  /**
   * Closes a buffer to which no reference is left but the broker's, and follows its memory.
   * @returns when the descriptor is closed
   */
  async follow(buffer: Buffer): Promise<void> {
    const { deferredClose } = this.#tools;
    const remains = await this.#heap.follow?.(buffer.fd.number, buffer.bytes);
    deferredClose.close(buffer.fd);
    if (remains !== undefined) this.#remains.set(buffer, remains);
    await deferredClose.settled();
  }

  /** Whether the memory of a buffer that was followed is still held. Undefined where that cannot be told. */
  held(buffer: Buffer): boolean | undefined {
    return this.#remains.get(buffer)?.held(this.#rules.isTold);
  }

  /** Ends a buffer that was followed. */
  free(buffer: Buffer): void {
    this.#unproved.add(buffer);
    this.settle();
  }

  /** Counts no more what is proved to be gone. */
  settle(): void {
    for (const buffer of this.#unproved)
      if (this.#rules.isGone() || this.held(buffer) === false) {
        this.#unproved.delete(buffer);
        this.#rules.uncount(buffer);
      }
  }

  /**
   * Has `hasRoom` become true where that only wants proof. Replacements live together for a moment, beyond the pool's limit,
   * because each has to take a place of its own; they never take more than what is without proof. One search for proof runs
   * at a time, and a request that comes meanwhile waits for that one.
   */
  async prove(hasRoom: () => boolean, requester: Requester | undefined): Promise<void> {
    if (this.#unproved.size === 0 || hasRoom()) return;
    this.settle();
    if (this.#unproved.size === 0 || hasRoom()) return;
    this.#replacing ??= this.#replace(hasRoom, requester).finally(() => {
      this.#replacing = undefined;
    });
    await this.#replacing;
  }

  async #replace(hasRoom: () => boolean, requester: Requester | undefined): Promise<void> {
    const { semaphore, deferredClose } = this.#tools;
    const made: OwnedFd[] = [];
    try {
      let withoutProof = 0;
      for (const { size } of [...this.#unproved]) {
        const { size: before } = this.#unproved;
        made.push(await semaphore.run(() => this.#heap.allocate(size), requester));
        this.settle();
        withoutProof = this.#unproved.size < before ? 0 : withoutProof + 1;
        if (hasRoom() || withoutProof === MAX_WITHOUT_PROOF) return;
      }
    } catch (error) {
      // Without memory, or with a node that fails, there is no proof to be had: the request is refused as it stands.
      if (!(error instanceof KernelError)) throw error;
    } finally {
      for (const fd of made) deferredClose.close(fd);
      await deferredClose.settled();
    }
  }
}
