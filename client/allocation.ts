import { closeAll, type OwnedFd } from '../dbus/owned-fd.js';
import { unsigned } from './check.js';
import { buffersOf, type DmaBuffer } from './dma-buffer.js';
import { DmabrokerError } from './errors.js';
import type { Grant } from './connection/allocate.js';
import { fdSizesOf, type Layout } from './model.js';

/** What an allocation needs of the connection that made it. */
export interface Holder {
  /** @param fdsPerBuffer descriptors that each of its buffers has */
  extend(path: string, count: number, fdsPerBuffer: number): Promise<readonly OwnedFd[]>;
  /** Ends the allocation at the broker, if it still has it. */
  end(path: string): Promise<void>;
  /** Whether the broker still has it. */
  holds(path: string): boolean;
}

/**
 * Buffers of one layout, made by one `allocate`. Its owner releases it, or lets `await using` do so.
 *
 * @example
 * ```ts
 * import { connect } from 'dmabroker';
 *
 * await using broker = await connect();
 * await using allocation = await broker.allocate([{ device: 'cpu', uses: ['read'] }], { size: 1 << 20, count: 20 });
 * console.log(allocation.buffers.length, allocation.state); // 20 held
 * ```
 */
export class Allocation<L extends Layout = Layout> implements AsyncDisposable {
  /** D-Bus object path. */
  readonly path: string;
  readonly #holder: Holder;
  readonly #buffers: DmaBuffer[];
  #layout: L;
  #released = false;

  constructor(grant: Grant<L>, holder: Holder) {
    this.path = grant.path;
    this.#holder = holder;
    this.#layout = grant.layout;
    this.#buffers = buffersOf(grant.fds, grant.layout);
  }

  /** The layout of every buffer; `count` is how many there are. */
  get layout(): L {
    return this.#layout;
  }

  get buffers(): readonly DmaBuffer[] {
    return this.#buffers;
  }

  /**
   * `lost`: the broker does not have it any more (a daemon that kept no record of it, or a connection that ended). The
   * buffers stay usable, and stay counted while any process has them open.
   */
  get state(): 'held' | 'lost' | 'released' {
    if (this.#released) return 'released';
    return this.#holder.holds(this.path) ? 'held' : 'lost';
  }

  /**
   * Adds buffers of the same layout. When it fails, none is added; what had been granted is closed, and counts against
   * the user until the allocation is released.
   * @returns the new ones, which are also in `buffers`
   * @throws {DmabrokerError}
   */
  async extend(count: number): Promise<readonly DmaBuffer[]> {
    const wanted = Number(unsigned(count, 32n, 'count'));
    const fds = await this.#holder.extend(this.path, wanted, fdSizesOf(this.#layout).length);
    if (this.#released) {
      closeAll(fds);
      throw new DmabrokerError('UnknownAllocation', 'the allocation was released meanwhile');
    }
    const added = buffersOf(fds, this.#layout);
    this.#buffers.push(...added);
    this.#layout = { ...this.#layout, count: this.#buffers.length };
    return added;
  }

  /**
   * Closes every buffer's fd that was not given away, and ends the allocation at the broker. Memory that others still
   * have open stays theirs. Doing it again does nothing, unless the broker could not be told the first time.
   * @throws {DmabrokerError}
   */
  async release(): Promise<void> {
    this.#released = true;
    closeAll(this.#buffers.flatMap((buffer) => buffer.fds));
    if (this.#holder.holds(this.path)) await this.#holder.end(this.path);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }
}
