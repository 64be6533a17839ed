import { constants, fstatSync } from 'node:fs';
import { constants as os } from 'node:os';

import { declare } from '../../dbus/native/libc.js';
import { OwnedFd } from '../../dbus/owned-fd.js';
import { KernelError } from './errors.js';
import { repeat } from './ioctl.js';

/** asm-generic/fcntl.h, which the supported architectures share; Node.js does not name it. */
export const O_CLOEXEC = 0o2000000;

// Not declared variadic: without O_CREAT there is no third argument.
const open = declare('int open(const char *path, int flags)');

/** Opens for reading and writing, without waiting for whatever is at the other end. @throws {KernelError} */
export const openPath = (path: string): OwnedFd =>
  new OwnedFd(repeat('open', open, path, constants.O_RDWR | constants.O_NONBLOCK | O_CLOEXEC));

/**
 * Hands on what is a character device, and closes everything else: it would refuse every call later, one at a time.
 * @throws {KernelError} ENODEV
 */
export function requireNode(file: OwnedFd): OwnedFd {
  if (fstatSync(file.number).isCharacterDevice()) return file;
  file.close();
  throw new KernelError('open', os.errno.ENODEV);
}
