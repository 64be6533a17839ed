import type { Allotted } from '../allocator.js';
import type { Owner } from '../broker-types.js';
import type { PoolBuffer } from '../../pools/pool.js';
import type { GrantedLayout } from '../../ledger/ledger-types.js';
import type { Allocation } from '../../ledger/allocation.js';
import type { BrokerError } from '../../../dbus/errors.js';
import type { Collection } from './collection.js';
import type { NoDecision, SetDecision } from './decide-set.js';
import type { BufferSpec } from './party-types.js';
import type { SetRequest } from './set-request.js';

/** The buffers of one generation, with what they were made for. */
export interface Generation {
  readonly allocation: Allocation;
  readonly layout: GrantedLayout;
  readonly buffers: readonly PoolBuffer[];
  readonly spec: BufferSpec;
  readonly request: SetRequest;
}

export const generationOf = (
  { allocation, layout, buffers }: Allotted,
  spec: BufferSpec,
  { request }: SetDecision,
): Generation => ({ allocation, layout, buffers, spec, request });

/** A call of `Buffers` that waits. */
export interface WaitingCall {
  readonly resolve: () => void;
  readonly reject: (error: BrokerError) => void;
}

/** One connection's part in a collection. */
export interface PartyRecord {
  /** Of its object. */
  readonly id: string;
  readonly number: number;
  readonly owner: Owner;
  readonly running: Running;
  readonly waiting: Set<WaitingCall>;
  /** What listeners were told last. */
  told: string;
}

/** A collection with all that is done for it. */
export interface Running {
  readonly collection: Collection;
  /** By number: those that exist, and the first one to the end. */
  readonly parties: Map<number, PartyRecord>;
  spec: BufferSpec;
  /** The present buffers. */
  generation: Generation | undefined;
  /** Earlier ones that something still holds. */
  readonly earlier: Set<Allocation>;
  /** Why there is none, or no further one. */
  failure: NoDecision | undefined;
  timer: Disposable | undefined;
  /** By the number of the party that each is for. */
  readonly tokens: Map<number, string>;
}
