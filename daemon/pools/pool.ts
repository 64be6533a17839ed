import type { MemoryClass } from '../../dbus/names.js';
import type { Requester } from '../../dbus/accounts/account.js';
import type { OwnedFd } from '../../dbus/owned-fd.js';
import type { HeapFacts } from '../devices/inventory.js';
import type { Heap, Picture } from '../heaps/heap.js';
import type { Budget } from './budget.js';
import { BufferAllocator, type BufferOrder } from './allocate.js';
import type { Share } from './pressure-state.js';
import { ClosedBuffers } from './closed-buffers.js';
import { Lender } from './lender.js';
import { Refill } from './refill.js';
import { Reclaim } from './reclaim.js';
import type { PoolTools } from './tools.js';
import type { MaintenanceTask } from './maintenance.js';
import type { Origin } from './fd-store.js';
import { wholeSteps, type PoolIdentity, type PoolTerms, type PoolView } from './pool-terms.js';
import { UserShares } from './user-shares.js';
import { FreeList, type OwnBuffer, type ReadyBuffer } from './free-list.js';

export type { PoolIdentity, PoolTerms, PoolView };

/** A buffer in use, and what its pool counts for it. Its holder gives it back to the pool. */
export interface PoolBuffer {
  readonly pool: Pool;
  /** The broker's own descriptor; lent, and closed by the pool. */
  readonly fd: OwnedFd;
  /** Bytes that it was made for. */
  readonly size: bigint;
  /** Bytes of memory behind it. */
  readonly bytes: bigint;
  /** uid of the user that it counts against; absent for what no user asked for. */
  readonly payer?: number | undefined;
}

/** What a pool answers: the buffers, or that its budget or its heap has no room for them. */
export type Taken =
  | { readonly ok: true; readonly buffers: readonly PoolBuffer[] }
  | { readonly ok: false; readonly lacks: 'budget' | 'memory' | 'share' };

/** The broker's budget and stock of ready buffers of one memory class from one heap. */
export class Pool implements MaintenanceTask {
  readonly handle: string;
  readonly class: MemoryClass;
  readonly facts: HeapFacts;
  /** What its buffers are made of, for a later start of the daemon. */
  readonly origin: Origin;
  readonly budget: Budget;
  readonly shares: UserShares;
  readonly lender: Lender;
  readonly #heap: Heap;
  readonly #tools: PoolTools;
  readonly #freeList: FreeList;
  readonly #reclaim: Reclaim;
  readonly #refill: Refill;
  readonly #allocator: BufferAllocator;
  readonly #closed: ClosedBuffers<PoolBuffer>;
  #hits = 0n;
  #misses = 0n;

  constructor(
    { handle, class: memoryClass, facts }: PoolIdentity,
    heap: Heap,
    budget: Budget,
    tools: PoolTools,
    changed: (pool: Pool, expiry?: number) => void,
  ) {
    this.handle = handle;
    this.class = memoryClass;
    this.facts = facts;
    this.budget = budget;
    this.shares = new UserShares(() => budget.limit);
    this.#heap = heap;
    this.#tools = tools;
    this.lender = new Lender(heap, tools);
    this.#freeList = new FreeList({
      ...tools,
      budget,
      changed: (expiry) => {
        changed(this, expiry);
      },
    });
    this.#reclaim = new Reclaim(this.#freeList, budget, tools);
    const { id, kind, cpuAccess } = facts;
    const { countsReferences } = heap;
    this.origin = { heap: id, kind, class: memoryClass, cpuAccess, countsReferences };
    this.#refill = new Refill(heap, this.origin, this.#freeList, budget, tools);
    const giveWay = (): boolean => (facts.capacity === undefined ? tools.giveWay() : this.shrink('all'));
    this.#allocator = new BufferAllocator(heap, this.origin, budget, { ...tools, giveWay });
    this.#closed = new ClosedBuffers(heap, tools, {
      isTold: facts.retention?.value === 'visible',
      isGone: () => this.closed,
      uncount: this.#uncount.bind(this),
    });
    budget.onEvict((bytes) => {
      this.#freeList.shed(this.#reclaim.shed(bytes));
    });
  }

  /** Whether the kernel counts the references to one of its buffers; those to a plain memfd it does not. */
  get countsReferences(): boolean {
    return this.#heap.countsReferences;
  }

  view(): PoolView {
    const { handle, class: memoryClass, budget } = this;
    const { limit, live } = budget;
    const [hits, misses] = [this.#hits, this.#misses];
    return { handle, class: memoryClass, limit, live, warm: this.warm, hits, misses };
  }

  /** Changes what is allowed. What is out is not touched; call `trim` once every pool has its terms. */
  agree({ limit, warm, idle, share = 100 }: PoolTerms): void {
    this.shares.share = share;
    this.budget.allowance = { limit, warm };
    this.#freeList.idle = idle;
  }

  /** Gives back at once what lies ready and is too much. */
  trim(): void {
    this.budget.trim();
  }

  /** Changes the limit alone. */
  limitTo(bytes: bigint): void {
    this.budget.allowance = { ...this.budget.allowance, limit: bytes };
    this.trim();
  }

  /** Takes `count` zeroed buffers of at least `bytes` that lie ready; undefined when there are not so many. */
  takeReady(bytes: bigint, count: number, requester?: Requester): readonly PoolBuffer[] | undefined {
    const size = wholeSteps(bytes);
    if (!this.shares.allows(requester?.account.uid, size * BigInt(count))) return undefined;
    return this.#freeList.ready(size) < count
      ? undefined
      : this.#give(size, this.#freeList.take(size, count), [], requester);
  }

  /**
   * Takes `count` zeroed buffers of at least `bytes`, all or nothing: ready ones as far as there are.
   * @throws {KernelError} for every failure but a lack of memory
   */
  async take(bytes: bigint, count: number, requester?: Requester, picture?: Picture): Promise<Taken> {
    const size = wholeSteps(bytes);
    const uid = requester?.account.uid;
    const asked = size * BigInt(count);
    if (!this.shares.allows(uid, asked)) return { ok: false, lacks: 'share' };
    const ready = this.#freeList.take(size, count);
    const missing = count - ready.length;
    if (missing === 0) return { ok: true, buffers: this.#give(size, ready, [], requester) };
    this.#closed.settle();
    // Counts while it is made, so that requests that run at the same time cannot pass the share together.
    return this.shares.during(uid, asked, () =>
      this.#make({ size, count: missing, requester, picture }, ready),
    );
  }

  async #make(wanted: BufferOrder, ready: readonly ReadyBuffer[]): Promise<Taken> {
    let made;
    try {
      made = await this.#allocator.make(wanted);
    } catch (error) {
      this.#freeList.putBack(ready);
      throw error;
    }
    if (made.ok) return { ok: true, buffers: this.#give(wanted.size, ready, made.buffers, wanted.requester) };
    this.#freeList.putBack(ready);
    return made;
  }

  /** Whether a buffer's memory can outlive its dma-buf: then it is followed before it is freed. */
  get outlives(): boolean {
    return this.#heap.follow !== undefined;
  }

  /** As `ClosedBuffers.follow`. */
  follow(buffer: PoolBuffer): Promise<void> {
    return this.#closed.follow(buffer);
  }

  /** As `ClosedBuffers.held`. */
  held(buffer: PoolBuffer): boolean | undefined {
    return this.#closed.held(buffer);
  }

  /**
   * Ends a buffer without a holder: it goes back to the stock if it is wanted there, else to the kernel. One that
   * was followed, and of which nothing tells that it ended, counts until that is proved.
   */
  free(buffer: PoolBuffer): void {
    if (!buffer.fd.open) {
      this.#closed.free(buffer);
      return;
    }
    if (this.#reusable && this.#reclaim.accept(buffer)) {
      this.shares.add(buffer.payer, -buffer.bytes);
      this.#tools.maintenance.wake();
      return;
    }
    this.lender.end(buffer.fd, buffer.bytes);
    this.#uncount(buffer);
  }

  #uncount({ payer, bytes }: PoolBuffer): void {
    this.shares.add(payer, -bytes);
    this.budget.giveBack(bytes);
  }

  /** Looks for proof that freed memory is gone, where only the lack of it would refuse so many buffers. */
  async proveRoom(size: bigint, count: number, requester?: Requester): Promise<void> {
    const bytes = size * BigInt(count);
    const hasRoom = (): boolean =>
      bytes <= this.budget.available && this.shares.allows(requester?.account.uid, bytes);
    await this.#closed.prove(hasRoom, requester);
  }

  /** Takes over a buffer that an earlier start of the daemon handed out. It counts, whatever the limit. */
  adopt({ fd, size, bytes }: OwnBuffer, payer?: number): PoolBuffer {
    this.budget.adopt(bytes);
    this.shares.add(payer, bytes);
    return { pool: this, fd, size, bytes, payer };
  }

  /** Takes over buffers of one size that an earlier start kept ready, as if that many had just been asked and given back. */
  restock(buffers: readonly OwnBuffer[]): void {
    const [first] = buffers;
    if (first === undefined) return;
    const adopted = buffers.map((buffer) => this.adopt(buffer));
    this.#freeList.ask(first.size, adopted.length);
    for (const buffer of adopted) this.free(buffer);
  }

  clean(): Promise<void> | undefined {
    return this.#reclaim.clean();
  }

  refill(): Promise<void> | undefined {
    return this.#refill.make((size) => this.#reclaim.coming(size));
  }

  /** Bytes that lie ready. */
  get warm(): bigint {
    return this.#freeList.bytes;
  }

  /** Gives back half of what lies ready or is on its way there, or all of it. @returns whether there was any */
  shrink(share: Share): boolean {
    const { spare } = this.budget;
    this.#freeList.shed(this.#reclaim.shed(share === 'all' ? spare : (spare + 1n) / 2n));
    return this.budget.spare < spare;
  }

  /** When `expire` has something to do, in milliseconds of the broker's clock; `Infinity` when nothing lies ready. */
  get expiry(): number {
    return this.#freeList.expiry;
  }

  /** Gives back what lay ready for too long. */
  expire(): void {
    this.#freeList.expire();
  }

  /** Whether its heap is gone. */
  get closed(): boolean {
    return this.#freeList.closed;
  }

  /** Keeps nothing ready any more. What is out ends when it comes back. */
  close(): void {
    this.#freeList.close();
    this.#reclaim.shed(this.budget.spare);
    this.#closed.settle();
  }

  /**
   * Whether what was handed out may be handed out again: it can be told who has it, a former holder was proved to keep
   * nothing, and it can be cleared.
   */
  get #reusable(): boolean {
    const { retention, cpuAccess } = this.facts;
    return this.countsReferences && !this.outlives && retention?.value === 'nothing' && cpuAccess !== 'none';
  }

  #give(
    size: bigint,
    ready: readonly ReadyBuffer[],
    made: readonly OwnBuffer[],
    by?: Requester,
  ): readonly PoolBuffer[] {
    const payer = by?.account.uid;
    this.#hits += BigInt(ready.length);
    this.#misses += BigInt(made.length);
    if (this.#freeList.ask(size, ready.length + made.length)) this.#tools.maintenance.wake();
    return [...ready, ...made].map(({ fd, bytes }) => {
      this.shares.add(payer, bytes);
      return { pool: this, fd, size, bytes, payer };
    });
  }
}
