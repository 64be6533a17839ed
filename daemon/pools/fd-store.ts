import type { CpuAccess, MemoryClass } from '../../dbus/names.js';
import type { HeapKind } from '../devices/inventory.js';

/** Which memory a buffer is of, for a start of the daemon that may not find its heap any more. */
export interface Origin {
  /** Heap id. */
  readonly heap: string;
  readonly kind: HeapKind;
  readonly class: MemoryClass;
  readonly cpuAccess: CpuAccess;
  /** Whether the kernel tells who still holds it. */
  readonly countsReferences: boolean;
}

/** A new buffer that only its pool has. */
export interface Deposit {
  /** The pool's. */
  readonly fd: number;
  readonly origin: Origin;
  /** Bytes that it was made for. */
  readonly size: bigint;
  /** Bytes of memory behind it. */
  readonly bytes: bigint;
}

/** Sees to it that buffers outlive the process. */
export interface FdStore {
  /** Puts copies of new buffers away. Settles when it is known whether they are; never rejects. */
  deposit(deposits: readonly Deposit[]): Promise<void>;
  /** References to a buffer that are the broker's own, copies included; undefined while that is not known. */
  ours(fd: number): number | undefined;
  /** Takes the copy away: the descriptor is about to be closed. */
  forget(fd: number): void;
}

/** Nothing outlives the process. */
export const NO_FD_STORE: FdStore = {
  deposit: () => Promise.resolve(),
  ours: () => 1,
  forget: () => undefined,
};
