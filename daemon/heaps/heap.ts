import type { OwnedFd } from '../../dbus/owned-fd.js';

/**
 * A source of memory. One backend a file; a backend is two functions, and what it is like stands in the inventory's
 * HeapFacts.
 */
export interface Heap {
  /** The inventory's heap id. */
  readonly id: string;
  /**
   * Makes one zeroed buffer of at least `size` bytes. The caller owns the fd.
   * @throws {KernelError} ENOMEM when the heap has no such memory
   */
  allocate(size: bigint): Promise<OwnedFd>;
  /** Whether `references` of the kernel room tells who still holds a buffer (not for a plain memfd). */
  readonly countsReferences: boolean;
  /**
   * Gives back what the backend itself holds open. A heap that was opened with `openHeaps` may be closed while calls run:
   * they end as if it were not, and later ones are refused with ENODEV.
   */
  close(): void;
}
