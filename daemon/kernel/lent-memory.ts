import { constants, openSync } from 'node:fs';
import { constants as os } from 'node:os';

import { declare, errno } from '../../dbus/native/libc.js';
import { OwnedFd } from '../../dbus/owned-fd.js';
import { kernelCall, KernelError } from './errors.js';
import { repeatOffLoop } from './ioctl.js';

const fcntl = declare('int fcntl(int fd, int cmd, ...)');
const fallocate = declare('int fallocate(int fd, int mode, int64 offset, int64 length)');

/** linux/fcntl.h, asm-generic/fcntl.h and linux/falloc.h. */
export const LEASE_F = { GETFL: 3, SETSIG: 10, SETLEASE: 1024, WRLCK: 1, UNLCK: 2 } as const;
export const FALLOC_FL = { KEEP_SIZE: 1, PUNCH_HOLE: 2 } as const;

/** Marks descriptions that `reopen` made for the daemon; it means nothing to the kernel where memory is concerned. */
const MARK = constants.O_NONBLOCK;

const { EAGAIN } = os.errno;

/**
 * Opens a memfd once more, as a description of its own. The kernel counts the descriptions of a file that were opened for
 * writing or reading, but not the one that memfd_create(2) returns: so both the daemon and its clients get reopened ones.
 * @param fd borrowed
 * @param purpose `own` for what `isOpenElsewhere` is asked with
 * @throws {KernelError}
 */
export function reopen(fd: number, purpose: 'own' | 'lent'): OwnedFd {
  const isOurs = purpose === 'own';
  const flags = constants.O_RDWR | (isOurs ? MARK : 0);
  const opened = new OwnedFd(kernelCall('open', () => openSync(`/proc/self/fd/${fd}`, flags)));
  // What opens the file while the lease is tried would have the kernel send SIGIO, which ends a process; SIGURG does not.
  if (isOurs && fcntl(opened.number, LEASE_F.SETSIG, 'int', os.signals.SIGURG) !== 0) {
    const number = errno();
    opened.close();
    throw new KernelError('F_SETSIG', number);
  }
  return opened;
}

/**
 * Whether a memfd has a description beside ours: a descriptor anywhere, one queued in a socket, or a mapping. The kernel
 * gives a write lease only where there is none (fcntl(2), "Leases"); it is given up at once. Takes microseconds.
 * @param fd a descriptor of what `reopen` opened as ours
 * @returns undefined when it cannot be told: `fd` is another description, or leases are off (/proc/sys/fs/leases-enable)
 */
export function isOpenElsewhere(fd: number): boolean | undefined {
  if (((fcntl(fd, LEASE_F.GETFL) as number) & MARK) === 0) return undefined;
  if (fcntl(fd, LEASE_F.SETLEASE, 'int', LEASE_F.WRLCK) !== 0) return errno() === EAGAIN ? true : undefined;
  fcntl(fd, LEASE_F.SETLEASE, 'int', LEASE_F.UNLCK);
  return false;
}

/**
 * Gives the pages of a memfd back, on the thread pool. A descriptor of the path alone (O_PATH) counts as no description
 * and would keep them.
 * @throws {KernelError}
 */
export async function freePages(fd: number, size: bigint): Promise<void> {
  await repeatOffLoop('fallocate', fallocate, fd, FALLOC_FL.KEEP_SIZE | FALLOC_FL.PUNCH_HOLE, 0, size);
}
