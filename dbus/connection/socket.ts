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

/** Bytes up to which a message is copied before it is sent: cheaper than telling the kernel where each one lies. */
const COPIED = 16_384;

/** A unix socket. No descriptor that comes through it is inherited by a child. */
export class MessageSocket implements FdStream {
  readonly #fd: OwnedFd;
  readonly #incoming = new MessageHeader(READ_SIZE);
  readonly #outgoing = new MessageHeader(COPIED);

  /** @param fd a connected, non-blocking unix stream socket */
  constructor(fd: OwnedFd) {
    this.#fd = fd;
  }

  get fd(): number {
    return this.#fd.number;
  }

  send(bytes: Buffer, fds: readonly OwnedFd[]): number | 'blocked' | 'exhausted' {
    const out = this.#outgoing;
    if (bytes.length <= COPIED) {
      out.bytes.set(bytes);
      out.aim(bytes.length);
    } else out.aimAt(bytes);
    out.controlLength = out.control.put(fds);
    const sent = this.#repeat(c.sendmsg, out, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent >= 0) return sent;
    const { EAGAIN, ENOBUFS, ENOMEM } = constants.errno;
    const number = errno();
    if (number === EAGAIN) return 'blocked';
    if (number === ENOBUFS || number === ENOMEM || number === ETOOMANYREFS) return 'exhausted';
    throw new SocketError('sendmsg', number);
  }

  receive(): Received | 'blocked' | 'end' {
    const into = this.#incoming;
    into.aim(READ_SIZE);
    into.controlLength = into.control.bytes.length;
    const count = this.#repeat(c.recvmsg, into, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (count < 0) {
      const number = errno();
      if (number === constants.errno.EAGAIN) return 'blocked';
      throw new SocketError('recvmsg', number);
    }
    const fds = into.control.take(into.controlLength);
    if ((into.flags & MSG_CTRUNC) !== 0) {
      closeAll(fds);
      throw new SocketError('recvmsg (descriptors were lost)', constants.errno.EMFILE);
    }
    return count === 0 ? 'end' : { bytes: into.bytes.subarray(0, count), fds };
  }

  close(): void {
    this.#fd.close();
  }

  #repeat(call: typeof c.sendmsg, message: MessageHeader, flags: number): number {
    for (;;) {
      const result = Number(call(this.#fd.number, message.header, flags));
      if (result >= 0 || errno() !== constants.errno.EINTR) return result;
    }
  }
}

/** A `msghdr` with what it points to, of which little changes from one call to the next. */
class MessageHeader {
  readonly header = Buffer.alloc(MSGHDR.size);
  readonly control = new FdControl();
  /** What it points to but for a moment. */
  readonly bytes: Buffer;
  readonly #iov = Buffer.alloc(IOVEC.size);
  readonly #address: bigint;
  #aimedAt: Buffer;
  #length = -1;

  constructor(size: number) {
    this.bytes = Buffer.alloc(size);
    this.#aimedAt = this.bytes;
    this.#address = addressOf(this.bytes);
    MSGHDR.write(this.header, 0, 'iov', addressOf(this.#iov));
    MSGHDR.write(this.header, 0, 'iovLength', 1);
    MSGHDR.write(this.header, 0, 'control', addressOf(this.control.bytes));
    IOVEC.write(this.#iov, 0, 'base', this.#address);
  }

  /** To so many bytes of its own. */
  aim(length: number): void {
    if (this.#aimedAt !== this.bytes) IOVEC.write(this.#iov, 0, 'base', this.#address);
    this.#aimedAt = this.bytes;
    this.#resize(length);
  }

  /** To somebody else's, which are kept until it is aimed anew. */
  aimAt(bytes: Buffer): void {
    this.#aimedAt = bytes;
    IOVEC.write(this.#iov, 0, 'base', addressOf(bytes));
    this.#resize(bytes.length);
  }

  get flags(): number {
    return MSGHDR.read(this.header, 0, 'flags');
  }

  get controlLength(): number {
    return MSGHDR.read(this.header, 0, 'controlLength');
  }

  set controlLength(bytes: number) {
    MSGHDR.write(this.header, 0, 'controlLength', bytes);
  }

  #resize(length: number): void {
    if (length !== this.#length) IOVEC.write(this.#iov, 0, 'length', length);
    this.#length = length;
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
