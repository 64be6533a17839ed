import { fstatSync } from 'node:fs';

import { declare } from '../../dbus/native/libc.js';
import { OwnedFd } from '../../dbus/owned-fd.js';

const fcntl = declare('int fcntl(int fd, int cmd, ...)');
const F_SETFD = 2;
const FD_CLOEXEC = 1;

/** Number of the first descriptor that is handed to a service (sd_listen_fds(3)). */
const FIRST_FD = 3;

/** What the environment says of descriptors that came with the start. */
export type InheritedEnvironment = Readonly<
  Partial<Record<'LISTEN_PID' | 'LISTEN_FDS' | 'LISTEN_FDNAMES', string>>
>;

/**
 * The descriptors that the service manager handed to this process, by the name under which it kept them
 * (sd_listen_fds_with_names(3)); the caller's. Of two of one name, and of one without a name, only the process could
 * tell what they are, so that they are closed.
 * @param pid of this process: for another's they are none of ours
 */
export function takeInheritedFds(environment: InheritedEnvironment, pid: number): Map<string, OwnedFd> {
  const found = new Map<string, OwnedFd>();
  if (environment.LISTEN_PID !== String(pid)) return found;
  const count = Number(environment.LISTEN_FDS ?? '0');
  if (!Number.isSafeInteger(count) || count < 0) return found;
  const names = (environment.LISTEN_FDNAMES ?? '').split(':');
  for (let i = 0; i < count; i += 1) {
    if (!isOpen(FIRST_FD + i)) continue;
    fcntl(FIRST_FD + i, F_SETFD, 'int', FD_CLOEXEC);
    const fd = new OwnedFd(FIRST_FD + i);
    const name = names[i] ?? '';
    if (name === '' || found.has(name)) fd.close();
    else found.set(name, fd);
  }
  return found;
}

function isOpen(fd: number): boolean {
  try {
    fstatSync(fd);
    return true;
  } catch {
    return false;
  }
}
