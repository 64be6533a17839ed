import type { OwnedFd } from '../../dbus/owned-fd.js';
import type { MemoryCalls } from '../kernel/kernel.js';
import { type Heap, wholePages } from './heap.js';

/** Plain memory: a memfd of sealed size, which no device imports and whose references cannot be counted. */
export class MemfdHeap implements Heap {
  readonly id: string;
  readonly countsReferences = false;
  readonly follow = undefined;
  readonly #memory: MemoryCalls;
  readonly #pageSize: bigint;

  constructor(id: string, memory: MemoryCalls, pageSize: bigint) {
    this.id = id;
    this.#memory = memory;
    this.#pageSize = pageSize;
  }

  allocate(size: bigint): Promise<OwnedFd> {
    return this.#memory.createMemfd('dmabroker', wholePages(size, this.#pageSize));
  }

  close(): void {
    // A memfd comes from no node.
  }
}
