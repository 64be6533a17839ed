import { StructLayout } from './layout.js';
import { declare, errno } from './libc.js';

const c = {
  socket: declare('int socket(int domain, int type, int protocol)'),
  connect: declare('int connect(int fd, const void *address, uint32 length)'),
  bind: declare('int bind(int fd, const void *address, uint32 length)'),
};

const AF_UNIX = 1;
export const SOCKET_TYPE = { stream: 1, datagram: 2 } as const;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;

const FAMILY = new StructLayout({ family: 'uint16' });

/** Where a unix socket is. */
export interface UnixAddress {
  readonly kind: 'path' | 'abstract';
  /** The path, or the abstract name without its leading NUL. Bytes, because a path is. */
  readonly name: Buffer;
}

/** A socket that never waits and that no child inherits. @returns its number, or a negative errno */
export const newUnixSocket = (type: keyof typeof SOCKET_TYPE): number =>
  result(c.socket(AF_UNIX, SOCKET_TYPE[type] | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));

/** @returns 0 or a negative errno; EAGAIN when too many connections wait to be accepted */
export const connectUnixSocket = (fd: number, to: UnixAddress): number => withAddress(c.connect, fd, to);

/** @returns 0 or a negative errno */
export const bindUnixSocket = (fd: number, to: UnixAddress): number => withAddress(c.bind, fd, to);

function withAddress(call: typeof c.bind, fd: number, to: UnixAddress): number {
  const address = socketAddress(to);
  return result(call(fd, address, address.length));
}

/** A `sockaddr_un`: an abstract name follows a NUL, a path ends with one (unix(7)). */
function socketAddress({ kind, name }: UnixAddress): Buffer {
  const family = Buffer.alloc(FAMILY.size);
  FAMILY.write(family, 0, 'family', AF_UNIX);
  const nul = Buffer.alloc(1);
  return Buffer.concat(kind === 'abstract' ? [family, nul, name] : [family, name, nul]);
}

const result = (returned: unknown): number => ((returned as number) < 0 ? -errno() : (returned as number));
