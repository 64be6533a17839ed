import { StructLayout } from './layout.js';
import { declare, errno } from './libc.js';

const c = {
  socketpair: declare('int socketpair(int domain, int type, int protocol, void *pair)'),
  setsockopt: declare('int setsockopt(int fd, int level, int name, const void *value, uint32 length)'),
  getsockopt: declare('int getsockopt(int fd, int level, int name, void *value, void *length)'),
  socket: declare('int socket(int domain, int type, int protocol)'),
  connect: declare('int connect(int fd, const void *address, uint32 length)'),
  bind: declare('int bind(int fd, const void *address, uint32 length)'),
};

const AF_UNIX = 1;
export const SOCKET_TYPE = { stream: 1, datagram: 2 } as const;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;

const SOL_SOCKET = 1;
const SO_MEMINFO = 55;
/** From Linux 6.16 on. */
const SO_PASSRIGHTS = 83;

const FAMILY = new StructLayout({ family: 'uint16' });
const PAIR = new StructLayout({ first: 'int', second: 'int' });
const INT = new StructLayout({ value: 'int' });
/** The start of what SO_MEMINFO gives (linux/sock_diag.h): `written` is what was sent and not read yet. */
const MEMINFO = new StructLayout({ received: 'uint32', receiveBuffer: 'uint32', written: 'uint32' });

/** Where a unix socket is. */
export interface UnixAddress {
  readonly kind: 'path' | 'abstract';
  /** The path, or the abstract name without its leading NUL. Bytes, because a path is. */
  readonly name: Buffer;
}

/** A socket that never waits and that no child inherits. @returns its number, or a negative errno */
export const newUnixSocket = (type: keyof typeof SOCKET_TYPE): number =>
  result(c.socket(AF_UNIX, SOCKET_TYPE[type] | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));

/** Two stream sockets that are connected, never wait, and that no child inherits. @returns their numbers, or a negative errno */
export function newSocketPair(): readonly [number, number] | number {
  const pair = Buffer.alloc(PAIR.size);
  const failure = result(c.socketpair(AF_UNIX, SOCKET_TYPE.stream | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair));
  return failure < 0 ? failure : [PAIR.read(pair, 0, 'first'), PAIR.read(pair, 0, 'second')];
}

/** Has the kernel refuse descriptors that are sent to this socket. @returns 0, or a negative errno where it cannot */
export function refuseDescriptors(fd: number): number {
  const no = Buffer.alloc(INT.size);
  return result(c.setsockopt(fd, SOL_SOCKET, SO_PASSRIGHTS, no, no.length));
}

/**
 * Memory in bytes of what was sent through a stream socket and not read on the other side: 0 when all was read. SIOCOUTQ
 * tells the same, under a number that differs from one architecture to another.
 * @returns a negative errno when it cannot be told
 */
export function unreadMemory(fd: number): number {
  INT.write(LENGTH, 0, 'value', MEMINFO.size);
  const failure = result(c.getsockopt(fd, SOL_SOCKET, SO_MEMINFO, MEMORY, LENGTH));
  return failure < 0 ? failure : MEMINFO.read(MEMORY, 0, 'written');
}

const MEMORY = Buffer.alloc(MEMINFO.size);
const LENGTH = Buffer.alloc(INT.size);

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
