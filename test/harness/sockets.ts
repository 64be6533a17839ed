import { declare, errno } from '../../dbus/native/libc.js';
import { StructLayout } from '../../dbus/native/layout.js';
import { OwnedFd } from '../../dbus/owned-fd.js';

const c = {
  socket: declare('int socket(int domain, int type, int protocol)'),
  socketpair: declare('int socketpair(int domain, int type, int protocol, void *pair)'),
  bind: declare('int bind(int fd, const void *address, uint32 length)'),
  listen: declare('int listen(int fd, int backlog)'),
  accept4: declare('int accept4(int fd, void *address, void *length, int flags)'),
  chmod: declare('int chmod(const char *path, uint32 mode)'),
  memfd: declare('int memfd_create(const char *name, uint32 flags)'),
};

const AF_UNIX = 1;
const STREAM_NONBLOCK_CLOEXEC = 1 | 0o4000 | 0o2000000;
const NONBLOCK_CLOEXEC = 0o4000 | 0o2000000;
const MFD_CLOEXEC = 1;
const PAIR = new StructLayout({ first: 'int', second: 'int' });

function opened(call: string, result: unknown): OwnedFd {
  if (typeof result !== 'number' || result < 0) throw new Error(`${call} failed: errno ${errno()}`);
  return new OwnedFd(result);
}

/** Two connected, non-blocking unix stream sockets. */
export function socketPair(): readonly [OwnedFd, OwnedFd] {
  const pair = Buffer.alloc(PAIR.size);
  if (c.socketpair(AF_UNIX, STREAM_NONBLOCK_CLOEXEC, 0, pair) !== 0)
    throw new Error(`socketpair failed: errno ${errno()}`);
  return [new OwnedFd(PAIR.read(pair, 0, 'first')), new OwnedFd(PAIR.read(pair, 0, 'second'))];
}

/** A non-blocking unix stream socket that listens at a path, or at an abstract name that starts with NUL. */
export function listenAt(path: string, backlog = 128): OwnedFd {
  const fd = opened('socket', c.socket(AF_UNIX, STREAM_NONBLOCK_CLOEXEC, 0));
  const family = Buffer.from(new Uint16Array([AF_UNIX]).buffer);
  const name = path.startsWith('\0') ? Buffer.from(path) : Buffer.from(`${path}\0`);
  const address = Buffer.concat([family, name]);
  if (c.bind(fd.number, address, address.length) !== 0 || c.listen(fd.number, backlog) !== 0) {
    const number = errno();
    fd.close();
    throw new Error(`listening at ${path} failed: errno ${number}`);
  }
  return fd;
}

/** The next connection that waits, or undefined when none does. */
export function acceptFrom(listener: OwnedFd): OwnedFd | undefined {
  const fd = c.accept4(listener.number, null, null, NONBLOCK_CLOEXEC) as number;
  return fd < 0 ? undefined : new OwnedFd(fd);
}

/** A new file in memory: its inode tells it from every other. */
export const newMemfd = (name = 'test'): OwnedFd => opened('memfd_create', c.memfd(name, MFD_CLOEXEC));
