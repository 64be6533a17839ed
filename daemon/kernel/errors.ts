import { constants } from 'node:os';

/** Second names of EAGAIN and EOPNOTSUPP, which Linux itself does not use. */
const ALIASES: readonly string[] = ['EWOULDBLOCK', 'ENOTSUP'];

/** What drivers say of memory that is elsewhere (asm-generic/errno.h); Node.js does not name them. */
export const MORE_ERRNOS = { EREMOTE: 66, EREMOTEIO: 121 } as const;

const NAMES = new Map<number, string>(
  Object.entries({ ...constants.errno, ...MORE_ERRNOS })
    .filter(([name]) => !ALIASES.includes(name))
    .map(([name, number]) => [number, name]),
);

/** The symbolic name of an errno (`ENODEV`), or `errno N`. */
export const errnoName = (errno: number): string => NAMES.get(errno) ?? `errno ${errno}`;

/** A kernel call that failed. */
export class KernelError extends Error {
  /** Symbolic errno: `ENODEV`. */
  readonly code: string;
  readonly errno: number;
  /** What was called: `DMA_HEAP_IOCTL_ALLOC`. */
  readonly call: string;
  override readonly name = 'KernelError';

  constructor(call: string, errno: number) {
    super(`${call} failed: ${errnoName(errno)}`);
    this.call = call;
    this.errno = errno;
    this.code = errnoName(errno);
  }
}

/** The errno behind an error of Node.js's own file calls, which have it negative; EIO when it has none. */
export function errnoOf(error: unknown): number {
  const number = error instanceof Error && 'errno' in error ? error.errno : undefined;
  return typeof number === 'number' ? Math.abs(number) : constants.errno.EIO;
}

/** Makes a call through Node.js's own file functions. @throws {KernelError} */
export function kernelCall<T>(call: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    throw new KernelError(call, errnoOf(error));
  }
}
