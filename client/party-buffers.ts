import { closeAll } from '../dbus/owned-fd.js';
import type { PartyGrant } from './connection/party-calls.js';
import { buffersOf, type DmaBuffer } from './dma-buffer.js';
import type { Layout } from './model.js';

/**
 * The buffers of one generation, as one party has them: the same as every other party's, in the same order. They are used
 * and released as an `Allocation` is; a later generation has buffers of its own.
 */
export class PartyBuffers implements AsyncDisposable {
  /** The layout of every buffer; `count` is how many there are. */
  readonly layout: Layout;
  /** Which buffers of the collection these are, from 1. */
  readonly generation: number;
  readonly buffers: readonly DmaBuffer[];
  readonly #standing: () => 'held' | 'replaced' | 'lost';
  #released = false;

  constructor({ layout, generation, fds }: PartyGrant, standing: () => 'held' | 'replaced' | 'lost') {
    this.layout = layout;
    this.generation = generation;
    this.buffers = buffersOf(fds, layout);
    this.#standing = standing;
  }

  /**
   * `replaced`: there is a later generation, so release these once it is in use. `lost`: the party is over, or the daemon does
   * not have it any more, or the connection ended. Either way they stay usable, and count while any process has them open.
   */
  get state(): 'held' | 'replaced' | 'lost' | 'released' {
    return this.#released ? 'released' : this.#standing();
  }

  /**
   * Closes every buffer's fd that was not given away. Nothing else is ended: the party stays, and memory that others have
   * open stays theirs. Doing it again does nothing.
   */
  release(): Promise<void> {
    this.#released = true;
    closeAll(this.buffers.flatMap((buffer) => buffer.fds));
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }
}
