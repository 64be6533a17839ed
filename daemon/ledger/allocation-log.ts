import type { PoolBuffer } from '../pools/pool.js';
import type { Allocation } from './allocation.js';

/** Takes down what becomes of allocations, for the next start of the daemon. */
export interface AllocationLog {
  /** A new allocation, with all its buffers. */
  held(allocation: Allocation): void;
  /** It has these buffers more. */
  grown(allocation: Allocation, buffers: readonly PoolBuffer[]): void;
  /** Its owner was sent them: until then no client knows of them. */
  delivered(allocation: Allocation, buffers: readonly PoolBuffer[]): void;
  /** Its owner is done with them. */
  left(allocation: Allocation, buffers: readonly PoolBuffer[]): void;
  /** They have no holder any more. Call it before their pools take them. */
  freed(allocation: Allocation, buffers: readonly PoolBuffer[]): void;
  /** Returns when all of it is written. A failure to write is not the caller's. */
  flush(): void;
}

const nothing = (): void => undefined;

/** Nothing is taken down. */
export const NO_ALLOCATION_LOG: AllocationLog = {
  held: nothing,
  grown: nothing,
  delivered: nothing,
  left: nothing,
  freed: nothing,
  flush: nothing,
};
