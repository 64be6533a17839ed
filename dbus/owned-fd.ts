import { closeSync } from 'node:fs';

import { declare, errno } from './native/libc.js';

const fcntl = declare('int fcntl(int fd, int cmd, ...)');
const F_DUPFD_CLOEXEC = 1030;

/** `dup` failed; `errno` is the kernel's number (EMFILE when the process has no more descriptors). */
export class DupError extends Error {
  readonly errno: number;
  override readonly name = 'DupError';

  constructor(number: number) {
    super(`duplicating a file descriptor failed (errno ${number})`);
    this.errno = number;
  }
}

/** The descriptor was closed or given away. */
export class FdClosedError extends Error {
  readonly code = 'FdClosed';
  override readonly name = 'FdClosedError';

  constructor() {
    super('the file descriptor was closed or given away');
  }
}

/**
 * A file descriptor with one owner. The holder of the OwnedFd closes it, on every path; passing one on, in an argument
 * or a result of this type, passes that duty on. A borrowed descriptor is a plain number that is used and not kept.
 */
export class OwnedFd implements Disposable {
  #fd: number;

  /** @param fd an open descriptor that nothing else will close */
  constructor(fd: number) {
    if (!Number.isInteger(fd) || fd < 0) throw new RangeError(`not a file descriptor: ${fd}`);
    this.#fd = fd;
  }

  /** The number, lent for a call. @throws {FdClosedError} */
  get number(): number {
    if (this.#fd < 0) throw new FdClosedError();
    return this.#fd;
  }

  get open(): boolean {
    return this.#fd >= 0;
  }

  /** A second descriptor for the same file, close-on-exec. @throws {DupError} */
  dup(): OwnedFd {
    const copy = fcntl(this.number, F_DUPFD_CLOEXEC, 'int', 3) as number;
    if (copy < 0) throw new DupError(errno());
    return new OwnedFd(copy);
  }

  /** Gives the bare number away: the caller closes it from now on. */
  release(): number {
    const fd = this.number;
    this.#fd = -1;
    return fd;
  }

  /** Closes once; closing again does nothing. */
  close(): void {
    if (this.#fd < 0) return;
    const fd = this.#fd;
    this.#fd = -1;
    closeSync(fd);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** Closes all of them, however many of them fail to close. */
export function closeAll(fds: Iterable<OwnedFd>): void {
  const failures: unknown[] = [];
  for (const fd of fds) {
    try {
      fd.close();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, 'closing file descriptors failed');
}
