import type { OwnedFd } from '../../dbus/owned-fd.js';

/** What is left of a buffer once its dma-buf is gone: the memory, as long as something else holds it. */
export interface Remains {
  /**
   * Whether something still holds it; undefined when that cannot be told. Takes microseconds.
   * @param isTold whether the kernel was seen to tell it; without that, only new memory in its place proves that it is gone
   */
  held(isTold: boolean): boolean | undefined;
}

/** How memory is handed out whose references the kernel does not count, so that it can be told whether it is back. */
export interface Lending {
  /**
   * A descriptor for a client, of a description of its own; the caller's.
   * @throws {KernelError}
   */
  lend(fd: number): OwnedFd;
  /** Whether anything has the memory that was lent; undefined when that cannot be told. Takes microseconds. */
  isLent(fd: number): boolean | undefined;
  /** Gives the memory back to the kernel, whatever still names it. Bytes. */
  empty(fd: number, size: bigint): Promise<void>;
}

/** A picture that a buffer is made for. Pixels, and bits of one. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly bitsPerPixel: number;
}

/**
 * A source of memory. One backend a file; a backend is two functions, and what it is like stands in the inventory's
 * HeapFacts.
 */
export interface Heap {
  /** The inventory's heap id. */
  readonly id: string;
  /**
   * Makes one zeroed buffer of at least `size` bytes. The caller owns the fd.
   * @param picture given where the driver keeps width and height of what it makes, so that they have to be the picture's
   * @throws {KernelError} ENOMEM when the heap has no such memory
   */
  allocate(size: bigint, picture?: Picture): Promise<OwnedFd>;
  /** Whether `references` of the kernel room tells who still holds a buffer (not for a plain memfd). */
  readonly countsReferences: boolean;
  /**
   * For memory that can outlive its dma-buf, as a GEM object does that is mapped through its card: how to follow it once the
   * dma-buf is closed. Never rejects. Undefined where the last reference to the dma-buf is the end.
   * @param dmaBuf borrowed; to be closed before the remains are asked
   */
  readonly follow: ((dmaBuf: number, size: bigint) => Promise<Remains>) | undefined;
  /** For memory whose references cannot be counted, where it can be told otherwise that it is back. */
  readonly lending?: Lending | undefined;
  /**
   * Gives back what the backend itself holds open. A heap that was opened with `openHeaps` may be closed while calls run:
   * they end as if it were not, and later ones are refused with ENODEV.
   */
  close(): void;
}

/** Bytes rounded up to whole pages: what the kernel's allocators take, and what a buffer really costs. */
export const wholePages = (size: bigint, pageSize: bigint): bigint =>
  ((size + pageSize - 1n) / pageSize) * pageSize;
