import type { Heap } from '../heaps/heap.js';
import type { Pool } from '../pools/pool.js';
import type { WarningLog } from '../messages/log.js';

/** Remembers which pools were closed because their memory is gone, for as long as it is. */
export class ClosedPools {
  readonly #log: WarningLog;
  /** By heap id. */
  readonly #texts = new Map<string, string>();

  constructor(log: WarningLog) {
    this.#log = log;
  }

  /** For everybody, and therefore without the heap's name. */
  get warnings(): readonly string[] {
    return [...this.#texts.values()];
  }

  /** @param heaps that there are now: memory that came back is not gone any more */
  update(closed: readonly Pool[], heaps: readonly Heap[]): void {
    for (const { handle, class: memoryClass, facts } of closed) {
      const pool = `the pool ${handle} of ${memoryClass} memory was closed`;
      this.#texts.set(facts.id, `${pool}: its memory is gone from this machine`);
      this.#log.warn({ event: 'heap-gone', heap: facts.id }, `${pool}: the heap ${facts.id} is gone`);
    }
    for (const { id } of heaps) this.#texts.delete(id);
  }
}
