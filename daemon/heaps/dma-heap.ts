import type { OwnedFd } from '../../dbus/owned-fd.js';
import type { MemoryCalls } from '../kernel/kernel.js';
import type { Heap } from './heap.js';

/** A dma-heap of the kernel (/dev/dma_heap/…); it clears what it hands out and rounds up to pages itself. */
export class DmaHeap implements Heap {
  readonly id: string;
  readonly countsReferences = true;
  readonly follow = undefined;
  readonly #node: OwnedFd;
  readonly #memory: MemoryCalls;

  /** @param node the open heap, this object's from now on */
  constructor(id: string, node: OwnedFd, memory: MemoryCalls) {
    this.id = id;
    this.#node = node;
    this.#memory = memory;
  }

  allocate(size: bigint): Promise<OwnedFd> {
    return this.#memory.allocateDmaHeap(this.#node.number, size);
  }

  close(): void {
    this.#node.close();
  }
}
