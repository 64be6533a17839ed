import type { PoolBuffer } from '../../pools/pool.js';
import type { Allocation } from '../allocation.js';
import type { AllocationLog } from '../allocation-log.js';
import type { Journal } from './journal.js';
import type { AllocationRecord, StateRecord } from './journal-record.js';

/** Takes down in the journal what becomes of allocations. */
export class JournalAllocationLog implements AllocationLog {
  readonly #journal: Pick<Journal, 'add' | 'flush'>;
  readonly #nameOf: (fd: number) => string | undefined;

  /** @param nameOf the name that a descriptor's buffer has in the journal */
  constructor(journal: Pick<Journal, 'add' | 'flush'>, nameOf: (fd: number) => string | undefined) {
    this.#journal = journal;
    this.#nameOf = nameOf;
  }

  held(allocation: Allocation): void {
    this.#journal.add(this.#held(allocation));
  }

  grown({ id }: Allocation, buffers: readonly PoolBuffer[]): void {
    this.#journal.add({ kind: 'grown', id, buffers: this.#names(buffers) });
  }

  delivered({ id }: Allocation, buffers: readonly PoolBuffer[]): void {
    this.#journal.add({ kind: 'told', id, buffers: this.#names(buffers) });
  }

  left({ id }: Allocation, buffers: readonly PoolBuffer[]): void {
    if (buffers.length > 0) this.#journal.add({ kind: 'left', id, buffers: this.#names(buffers) });
  }

  freed({ id }: Allocation, buffers: readonly PoolBuffer[]): void {
    this.#journal.add({ kind: 'freed', id, buffers: this.#names(buffers) });
  }

  flush(): void {
    this.#journal.flush();
  }

  /** All that makes a later start know the allocation as it is now. */
  currentRecords(allocation: Allocation): readonly StateRecord[] {
    const { id, held, undelivered, orphaned } = allocation;
    const told = [...held].filter((buffer) => !undelivered.has(buffer));
    return [
      this.#held(allocation),
      { kind: 'told', id, buffers: this.#names(told) },
      { kind: 'left', id, buffers: this.#names([...orphaned]) },
    ];
  }

  #held(allocation: Allocation): StateRecord {
    const buffers = this.#names([...allocation.held, ...allocation.orphaned]);
    return { kind: 'held', allocation: recordOf(allocation), buffers };
  }

  /** What is closed has no name any more. */
  #names(buffers: readonly PoolBuffer[]): readonly string[] {
    return buffers.flatMap(({ fd }) => (fd.open ? (this.#nameOf(fd.number) ?? []) : []));
  }
}

function recordOf({ id, created, terms: { pool, ...terms } }: Allocation): AllocationRecord {
  return { ...terms, id, created, origin: pool.origin };
}
