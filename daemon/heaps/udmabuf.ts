import type { OwnedFd } from '../../dbus/owned-fd.js';
import type { MemoryCalls } from '../kernel/kernel.js';
import { type Heap, wholePages } from './heap.js';

/**
 * Pages of a memfd as a dma-buf (/dev/udmabuf). The memfd is closed as soon as the dma-buf has its pages, and no client
 * ever has it: only then does the dma-buf's reference count tell who holds the memory.
 */
export class UdmabufHeap implements Heap {
  readonly id: string;
  readonly countsReferences = true;
  readonly follow = undefined;
  readonly #node: OwnedFd;
  readonly #memory: MemoryCalls;
  readonly #pageSize: bigint;

  /** @param node /dev/udmabuf, open, this object's from now on */
  constructor(id: string, node: OwnedFd, memory: MemoryCalls, pageSize: bigint) {
    this.id = id;
    this.#node = node;
    this.#memory = memory;
    this.#pageSize = pageSize;
  }

  async allocate(size: bigint): Promise<OwnedFd> {
    const whole = wholePages(size, this.#pageSize);
    using memfd = await this.#memory.createMemfd('dmabroker', whole);
    return await this.#memory.createUdmabuf(this.#node.number, memfd.number, whole);
  }

  close(): void {
    this.#node.close();
  }
}
