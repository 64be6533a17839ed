import { constants } from 'node:os';

import type { OwnedFd } from '../../dbus/owned-fd.js';
import { KernelError } from '../kernel/errors.js';
import type { Heap, Picture, Remains } from './heap.js';

/**
 * A heap that may be closed at any time. A call that runs has the number of the heap's node, which could be another
 * file's as soon as the node is closed: so the last call that runs closes it, and none begins any more.
 */
export class GuardedHeap implements Heap {
  readonly #heap: Heap;
  #running = 0;
  #closed = false;

  /** @param heap this object's from now on */
  constructor(heap: Heap) {
    this.#heap = heap;
  }

  get id(): string {
    return this.#heap.id;
  }

  get countsReferences(): boolean {
    return this.#heap.countsReferences;
  }

  async allocate(size: bigint, picture?: Picture): Promise<OwnedFd> {
    if (this.#closed) throw new KernelError('allocate', constants.errno.ENODEV);
    return this.#using(() => this.#heap.allocate(size, picture));
  }

  get follow(): Heap['follow'] {
    const follow = this.#heap.follow?.bind(this.#heap);
    return follow && ((dmaBuf, size): Promise<Remains> => this.#using(() => follow(dmaBuf, size)));
  }

  /** It needs no node of the heap's. */
  get lending(): Heap['lending'] {
    return this.#heap.lending;
  }

  async #using<T>(call: () => Promise<T>): Promise<T> {
    this.#running += 1;
    try {
      return await call();
    } finally {
      this.#running -= 1;
      this.#closeIfDone();
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#closeIfDone();
  }

  #closeIfDone(): void {
    if (this.#closed && this.#running === 0) this.#heap.close();
  }
}
