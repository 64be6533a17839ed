import type { AllocationRecord, BufferRecord, StateRecord } from './journal-record.js';

/** An allocation of an earlier start. Buffers by name. */
export interface ReplayedAllocation {
  readonly record: AllocationRecord;
  /** What its owner has. */
  readonly held: Set<string>;
  /** What of that the owner was sent. */
  readonly delivered: Set<string>;
  /** What its owner is done with, and others may still have. */
  readonly orphaned: Set<string>;
}

/**
 * How things stood when an earlier start ended: what its records say, one after the other. A record that is read again
 * changes nothing, so that what still stands may be written a second time.
 */
export class Replay {
  readonly #buffers = new Map<string, BufferRecord>();
  readonly #allocations = new Map<string, ReplayedAllocation>();
  /** The allocation that each buffer belongs to. */
  readonly #owners = new Map<string, ReplayedAllocation>();

  get buffers(): ReadonlyMap<string, BufferRecord> {
    return this.#buffers;
  }

  get allocations(): Iterable<ReplayedAllocation> {
    return this.#allocations.values();
  }

  apply(record: StateRecord): void {
    switch (record.kind) {
      case 'made':
        this.#buffers.set(record.buffer.name, record.buffer);
        return;
      case 'gone':
        this.#take(record.name);
        this.#buffers.delete(record.name);
        return;
      case 'held':
        this.#hold(this.#allocation(record.allocation), record.buffers);
        return;
      case 'grown':
      case 'told':
      case 'left':
      case 'freed':
        this.#happened(record);
    }
  }

  #happened({ kind, id, buffers }: Extract<StateRecord, { readonly id: string }>): void {
    const allocation = this.#allocations.get(id);
    if (allocation === undefined) return;
    if (kind === 'grown') {
      this.#hold(allocation, buffers);
      return;
    }
    for (const name of buffers) {
      if (this.#owners.get(name) !== allocation) continue;
      if (kind === 'freed') this.#take(name);
      else if (kind === 'told') allocation.delivered.add(name);
      else if (allocation.held.delete(name)) allocation.orphaned.add(name);
    }
  }

  #allocation(record: AllocationRecord): ReplayedAllocation {
    const known = this.#allocations.get(record.id);
    if (known !== undefined) return known;
    const made = {
      record,
      held: new Set<string>(),
      delivered: new Set<string>(),
      orphaned: new Set<string>(),
    };
    this.#allocations.set(record.id, made);
    return made;
  }

  #hold(allocation: ReplayedAllocation, buffers: readonly string[]): void {
    for (const name of buffers) {
      // One that is leaving has been handed out before, and stays so when that is read again.
      if (this.#owners.get(name) === allocation) continue;
      this.#take(name);
      this.#owners.set(name, allocation);
      allocation.held.add(name);
    }
  }

  /** Takes a buffer from the allocation that has it; one without buffers is over. */
  #take(name: string): void {
    const allocation = this.#owners.get(name);
    if (allocation === undefined) return;
    this.#owners.delete(name);
    for (const set of [allocation.held, allocation.delivered, allocation.orphaned]) set.delete(name);
    if (allocation.held.size + allocation.orphaned.size === 0) this.#allocations.delete(allocation.record.id);
  }
}
