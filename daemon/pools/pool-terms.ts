import type { MemoryClass } from '../../dbus/names.js';
import type { HeapFacts } from '../devices/inventory.js';
import type { PoolAllowance } from './budget.js';

export interface PoolView {
  /** Random for every start of the daemon. */
  readonly handle: string;
  readonly class: MemoryClass;
  /** Bytes. */
  readonly limit: bigint;
  readonly live: bigint;
  readonly warm: bigint;
  /** Buffers. */
  readonly hits: bigint;
  readonly misses: bigint;
}

export interface PoolIdentity {
  readonly handle: string;
  readonly class: MemoryClass;
  readonly facts: HeapFacts;
}

/** What policy, or an administrator, says of a pool. */
export interface PoolTerms extends PoolAllowance {
  /** Milliseconds after which ready buffers that were not asked for are given back. */
  readonly idle: number;
  /** Hundredths of the limit that one user may hold; all of it when absent. */
  readonly share?: number;
}

/** The smallest page of any kernel: no heap gives less, so that sizes closer than that are one. */
const STEP_BYTES = 4096n;

/** The size under which a request of so many bytes finds what lies ready. */
export const wholeSteps = (bytes: bigint): bigint => ((bytes + STEP_BYTES - 1n) / STEP_BYTES) * STEP_BYTES;
