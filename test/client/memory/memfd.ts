import { ftruncateSync, readFileSync } from 'node:fs';

import { declare } from '../../../dbus/native/libc.js';
import { OwnedFd } from '../../../dbus/owned-fd.js';

const memfdCreate = declare('int memfd_create(const char *name, unsigned int flags)');
const CLOEXEC = 1;

/** Plain memory of a name that shows in /proc/self/maps. */
export function memfd(name: string, size: number): OwnedFd {
  const fd = new OwnedFd(memfdCreate(name, CLOEXEC) as number);
  ftruncateSync(fd.number, size);
  return fd;
}

/** How many mappings of that memory this process has. */
export const mappingsOf = (name: string): number =>
  readFileSync('/proc/self/maps', 'utf8')
    .split('\n')
    .filter((line) => line.includes(`/memfd:${name}`)).length;
