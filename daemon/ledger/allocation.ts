import type { Pool, PoolBuffer } from '../pools/pool.js';
import type { AllocationView, GrantedLayout, Owner } from './types.js';

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
  /** What of that was not sent to the owner yet, so that nobody would miss it. */
  readonly untold = new Set<PoolBuffer>();
  /** What the owner is done with, and others may still have. */
  readonly leaving = new Set<PoolBuffer>();
  state: AllocationView['state'] = 'held';
  /** The state that listeners were last told. */
  announced: AllocationView['state'] = 'held';

  constructor(id: string, terms: AllocationTerms, created: bigint) {
    this.id = id;
    this.terms = terms;
    this.created = created;
  }

  get empty(): boolean {
    return this.held.size + this.leaving.size === 0;
  }

  view(): AllocationView {
    const { owner, label, layout, pool } = this.terms;
    const buffers = [...this.held, ...this.leaving];
    return {
      id: this.id,
      owner,
      label,
      layout: { ...layout, count: buffers.length, pool: pool.handle },
      size: buffers.reduce((sum, { bytes }) => sum + bytes, 0n),
      created: this.created,
      state: this.state,
    };
  }
}
