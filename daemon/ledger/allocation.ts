import type { Pool, PoolBuffer } from '../pools/pool.js';
import type { AllocationView, GrantedLayout, Owner } from './ledger-types.js';

/** What the first call of an allocation fixes for all its buffers. */
export interface AllocationTerms {
  readonly owner: Owner;
  readonly label: string;
  readonly layout: Omit<GrantedLayout, 'count' | 'pool'>;
  /** Where all its buffers come from, the later ones too: the layout names it. */
  readonly pool: Pool;
}

/** The buffers of one `Allocate` call and of those that extended it. Only the ledger changes it. */
export class Allocation {
  readonly id: string;
  readonly terms: AllocationTerms;
  /** Microseconds since the epoch. */
  readonly created: bigint;
  /** What the owner has. */
  readonly held = new Set<PoolBuffer>();
  /** What of that was not sent to the owner yet. */
  readonly undelivered = new Set<PoolBuffer>();
  /** What the owner is done with, and others may still have. */
  readonly orphaned = new Set<PoolBuffer>();
  /** Bytes of all of these. Kept as a sum, because thousands of buffers leave one by one and each time it is read. */
  bytes = 0n;
  state: AllocationView['state'] = 'held';
  /** Whether the connection that has it is gone. */
  ownerLeft = false;
  /** The state that listeners were last told. */
  announced: AllocationView['state'] = 'held';

  constructor(id: string, terms: AllocationTerms, created: bigint) {
    this.id = id;
    this.terms = terms;
    this.created = created;
  }

  get empty(): boolean {
    return this.held.size + this.orphaned.size === 0;
  }

  /** Clients' buffers of which anything is left: each can be several of the pool's, one a descriptor. */
  get #count(): number {
    return Math.ceil((this.held.size + this.orphaned.size) / (this.terms.layout.fdSizes?.length ?? 1));
  }

  view(): AllocationView {
    const { owner, label, layout, pool } = this.terms;
    return {
      id: this.id,
      owner,
      label,
      layout: { ...layout, count: this.#count, pool: pool.handle },
      size: this.bytes,
      created: this.created,
      state: this.state,
    };
  }
}
