import { constants } from 'node:os';

import { addressOf, StructLayout } from '../native/layout.js';
import { declare, errno } from '../native/libc.js';
import { OwnedFd, closeAll } from '../owned-fd.js';
import type { BusSocket } from './address.js';
import { SocketError } from './connect-errors.js';
import { FdControl } from './fd-control.js';

const c = {
  socket: declare('int socket(int domain, int type, int protocol)'),
  connect: declare('int connect(int fd, const void *address, uint32 length)'),
  sendmsg: declare('int64 sendmsg(int fd, const void *message, int flags)'),
  recvmsg: declare('int64 recvmsg(int fd, void *message, int flags)'),
};

const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const MSG_CTRUNC = 0x8;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const MSG_CMSG_CLOEXEC = 0x4000_0000;

const IOVEC = new StructLayout({ base: 'void *', length: 'size_t' });
const MSGHDR = new StructLayout({
  name: 'void *',
  nameLength: 'uint32',
  iov: 'void *',
  iovLength: 'size_t',
  control: 'void *',
  controlLength: 'size_t',
  flags: 'int',
});
const FAMILY = new StructLayout({ family: 'uint16' });

/** Bytes read at once: room for hundreds of small messages. */
const READ_SIZE = 65_536;

/** What one read returned. The bytes are overwritten by the next read; the fds are the receiver's. */
export interface Received {
  readonly bytes: Buffer;
  readonly fds: readonly OwnedFd[];
}

/** A connected stream that carries file descriptors, and never blocks. */
export interface FdStream {
  /** The number, lent. */
  readonly fd: number;
  /**
   * Sends as many bytes as go, at least one, and with the first of them all fds, which stay the caller's.
   * @returns bytes sent, `blocked` when the socket is full, `exhausted` when the kernel lacks memory or lets this user
   * have no more fds in flight (then the socket will not tell when to try again)
   * @throws {SocketError} when the connection is gone
   */
  send(bytes: Buffer, fds: readonly OwnedFd[]): number | 'blocked' | 'exhausted';
  /**
   * Reads once.
   * @returns `blocked` when there is nothing, `end` when the other side has closed
   * @throws {SocketError} when the connection is gone, or descriptors were lost because this process has too many
   */
  receive(): Received | 'blocked' | 'end';
  close(): void;
}

/** A unix socket. No descriptor that comes through it is inherited by a child. */
export class MessageSocket implements FdStream {
  readonly #fd: OwnedFd;
  readonly #bytes = Buffer.alloc(READ_SIZE);
  readonly #incoming = new FdControl();
  readonly #outgoing = new FdControl();
  readonly #iov = Buffer.alloc(IOVEC.size);
  readonly #header = Buffer.alloc(MSGHDR.size);

  /** @param fd a connected, non-blocking unix stream socket */
  constructor(fd: OwnedFd) {
    this.#fd = fd;
    MSGHDR.write(this.#header, 0, 'iov', addressOf(this.#iov));
    MSGHDR.write(this.#header, 0, 'iovLength', 1);
  }

  get fd(): number {
    return this.#fd.number;
  }

  send(bytes: Buffer, fds: readonly OwnedFd[]): number | 'blocked' | 'exhausted' {
    const controlLength = this.#outgoing.put(fds);
    this.#aim(bytes, controlLength === 0 ? undefined : this.#outgoing.bytes, controlLength);
    const sent = this.#repeat(c.sendmsg, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent >= 0) return sent;
    const { EAGAIN, ENOBUFS, ENOMEM } = constants.errno;
    const number = errno();
    if (number === EAGAIN) return 'blocked';
    if (number === ENOBUFS || number === ENOMEM || number === ETOOMANYREFS) return 'exhausted';
    throw new SocketError('sendmsg', number);
  }

  receive(): Received | 'blocked' | 'end' {
    this.#aim(this.#bytes, this.#incoming.bytes, this.#incoming.bytes.length);
    const count = this.#repeat(c.recvmsg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (count < 0) {
      const number = errno();
      if (number === constants.errno.EAGAIN) return 'blocked';
      throw new SocketError('recvmsg', number);
    }
    const fds = this.#incoming.take(MSGHDR.read(this.#header, 0, 'controlLength'));
    if ((MSGHDR.read(this.#header, 0, 'flags') & MSG_CTRUNC) !== 0) {
      closeAll(fds);
      throw new SocketError('recvmsg (descriptors were lost)', constants.errno.EMFILE);
    }
    return count === 0 ? 'end' : { bytes: this.#bytes.subarray(0, count), fds };
  }

  close(): void {
    this.#fd.close();
  }

  #aim(bytes: Buffer, control: Buffer | undefined, controlLength: number): void {
    IOVEC.write(this.#iov, 0, 'base', addressOf(bytes));
    IOVEC.write(this.#iov, 0, 'length', bytes.length);
    MSGHDR.write(this.#header, 0, 'control', control === undefined ? 0 : addressOf(control));
    MSGHDR.write(this.#header, 0, 'controlLength', controlLength);
  }

  #repeat(call: typeof c.sendmsg, flags: number): number {
    for (;;) {
      const result = Number(call(this.#fd.number, this.#header, flags));
      if (result >= 0 || errno() !== constants.errno.EINTR) return result;
    }
  }
}

/** The kernel's limit on fds in flight for a user; Node's table of errno does not have it. */
const ETOOMANYREFS = 109;

/**
 * Connects, without waiting.
 * @returns `busy` when the server has too many connections waiting to be accepted: try again
 * @throws {SocketError}
 */
export function connectSocket(target: BusSocket): MessageSocket | 'busy' {
  const number = c.socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0) as number;
  if (number < 0) throw new SocketError('socket', errno());
  const fd = new OwnedFd(number);
  const address = socketAddress(target);
  if (c.connect(fd.number, address, address.length) === 0) return new MessageSocket(fd);
  const failure = errno();
  fd.close();
  if (failure === constants.errno.EAGAIN || failure === constants.errno.EINTR) return 'busy';
  throw new SocketError('connect', failure);
}

/** A `sockaddr_un`: an abstract name follows a NUL, a path ends with one (unix(7)). */
function socketAddress(target: BusSocket): Buffer {
  const family = Buffer.alloc(FAMILY.size);
  FAMILY.write(family, 0, 'family', AF_UNIX);
  const nul = Buffer.alloc(1);
  return Buffer.concat(target.kind === 'abstract' ? [family, nul, target.name] : [family, target.name, nul]);
}
