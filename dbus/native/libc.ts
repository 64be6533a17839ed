import koffi from 'koffi';

/**
 * The one file that knows koffi, so that a native addon can take its place. It loads libc; the rooms that are allowed
 * system calls declare theirs with it.
 */
const libc = koffi.load('libc.so.6');

/** A C function. A call blocks; `async` runs it on the thread pool. */
export interface NativeFunction {
  (...args: readonly unknown[]): unknown;
  async(...args: readonly unknown[]): void;
}

/** Declares a libc function by its C prototype. There is no `ssize_t`: say `int64`. Variadic ones end in `...`. */
export const declare = (prototype: string): NativeFunction => libc.func(prototype);

/** errno of the last failed call on this thread. Read it before anything else. */
export const errno = (): number => koffi.errno();
