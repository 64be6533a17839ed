import type { OwnedFd } from '../../dbus/owned-fd.js';
import type { MemoryCalls } from '../kernel/kernel.js';
import { type Heap, type Lending, wholePages } from './heap.js';

/**
 * Plain memory: a memfd of sealed size, which no device imports. The kernel does not count its references, but it tells
 * whether anything has it that was lent.
 */
export class MemfdHeap implements Heap {
  readonly id: string;
  readonly countsReferences = false;
  readonly follow = undefined;
  readonly lending: Lending;
  readonly #memory: MemoryCalls;
  readonly #pageSize: bigint;

  constructor(id: string, memory: MemoryCalls, pageSize: bigint) {
    this.id = id;
    this.#memory = memory;
    this.#pageSize = pageSize;
    this.lending = {
      lend: (fd) => memory.reopen(fd, 'lent'),
      isLent: (fd) => memory.isOpenElsewhere(fd),
      empty: (fd, bytes) => memory.freePages(fd, bytes),
    };
  }

  async allocate(size: bigint): Promise<OwnedFd> {
    using made = await this.#memory.createMemfd('dmabroker', wholePages(size, this.#pageSize));
    return this.#memory.reopen(made.number, 'own');
  }

  close(): void {
    // A memfd comes from no node.
  }
}
