import { constants, openSync } from 'node:fs';
import { constants as os } from 'node:os';

import { declare, errno } from '../../dbus/native/libc.js';
import { OwnedFd } from '../../dbus/owned-fd.js';
import { kernelCall, KernelError } from './errors.js';

const flock = declare('int flock(int fd, int operation)');
const LOCK_EX = 2;
const LOCK_NB = 4;

/**
 * Locks a file, which is made when it is not there, for as long as the descriptor is open (flock(2)).
 * @returns the caller's; `taken` when another process has the lock
 * @throws {KernelError} when the file cannot be opened
 */
export function lockFile(path: string): OwnedFd | 'taken' {
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW;
  const fd = new OwnedFd(kernelCall('open', () => openSync(path, flags, 0o600)));
  if (flock(fd.number, LOCK_EX | LOCK_NB) === 0) return fd;
  const failure = errno();
  fd.close();
  if (failure === os.errno.EAGAIN) return 'taken';
  throw new KernelError('flock', failure);
}
