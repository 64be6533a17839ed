import type { Origin } from '../../pools/fd-store.js';
import type { AllocationTerms } from '../allocation.js';

/** A buffer as it is written down. Its name is the one under which its copy is kept. */
export interface BufferRecord {
  readonly name: string;
  /** Inode, which is never another buffer's while the machine runs. */
  readonly inode: bigint;
  readonly origin: Origin;
  /** Bytes that it was made for. */
  readonly size: bigint;
  /** Bytes of memory behind it. */
  readonly bytes: bigint;
}

/** What an allocation is but for its buffers. Where its memory is from stands with each of those. */
export interface AllocationRecord extends Omit<AllocationTerms, 'pool'> {
  readonly id: string;
  /** Microseconds since the epoch. */
  readonly created: bigint;
  readonly origin: Origin;
}

/** Something that happened, as the journal has it. Buffers are given by their names. */
export type StateRecord =
  | { readonly kind: 'made'; readonly buffer: BufferRecord }
  | { readonly kind: 'gone'; readonly name: string }
  | { readonly kind: 'held'; readonly allocation: AllocationRecord; readonly buffers: readonly string[] }
  | {
      readonly kind: 'grown' | 'told' | 'left' | 'freed';
      readonly id: string;
      readonly buffers: readonly string[];
    };
