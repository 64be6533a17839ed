import { constants } from 'node:os';

import { FdMessages, MessageSpace } from '../native/fd-messages.js';
import {
  connectUnixSocket,
  newSocketPair,
  newUnixSocket,
  refuseDescriptors,
  unreadMemory,
} from '../native/unix-socket.js';
import { OwnedFd } from '../owned-fd.js';
import type { BusSocket } from './address.js';
import { SocketError } from './connect-errors.js';

/** Bytes read at once: room for hundreds of small messages. */
const READ_BYTES = 65_536;

/** What one read returned. The bytes are overwritten by the next read; the fds are the receiver's. */
export interface Received {
  readonly bytes: Buffer;
  readonly fds: readonly OwnedFd[];
  /** It filled all the room there was, so that there may be more. */
  readonly more: boolean;
  /** Descriptors of these bytes were lost, because this process has too many, or takes none. */
  readonly lost?: true;
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
   * @throws {SocketError} when the connection is gone
   */
  receive(): Received | 'blocked' | 'end';
  /** Whether the other side has read all that was sent; false where that cannot be told. */
  allRead(): boolean;
  close(): void;
}

/** What sockets read into and send from, one after the other; those of one process can share it. */
export class SocketSpace {
  readonly bytes = Buffer.alloc(READ_BYTES);
  readonly messages = new MessageSpace();
}

/** A unix socket. No descriptor that comes through it is inherited by a child. */
export class MessageSocket implements FdStream {
  readonly #fd: OwnedFd;
  readonly #bytes: Buffer;
  readonly #messages: FdMessages;
  readonly #takesFds: boolean;

  /**
   * @param fd a connected, non-blocking unix stream socket
   * @param space overwritten when another socket that has it reads
   * @param takesFds without it, no descriptor that is sent here becomes this process's
   */
  constructor(fd: OwnedFd, { bytes, messages } = new SocketSpace(), takesFds = true) {
    this.#fd = fd;
    this.#bytes = bytes;
    this.#messages = new FdMessages(fd.number, messages);
    this.#takesFds = takesFds;
  }

  get fd(): number {
    return this.#fd.number;
  }

  send(bytes: Buffer, fds: readonly OwnedFd[]): number | 'blocked' | 'exhausted' {
    const sent = this.#messages.send(bytes, fds);
    if (sent >= 0) return sent;
    const { EAGAIN, ENOBUFS, ENOMEM } = constants.errno;
    if (sent === -EAGAIN) return 'blocked';
    if (sent === -ENOBUFS || sent === -ENOMEM || sent === -ETOOMANYREFS) return 'exhausted';
    throw new SocketError('sendmsg', -sent);
  }

  receive(): Received | 'blocked' | 'end' {
    const received = this.#messages.receive(this.#bytes, this.#takesFds);
    if (typeof received !== 'number') {
      const { count, fds, lost } = received;
      if (count === 0) return 'end';
      const bytes = this.#bytes.subarray(0, count);
      return { bytes, fds, more: count === READ_BYTES, ...(lost && { lost }) };
    }
    if (received === -constants.errno.EAGAIN) return 'blocked';
    throw new SocketError('recvmsg', -received);
  }

  allRead(): boolean {
    return unreadMemory(this.#fd.number) === 0;
  }

  close(): void {
    this.#fd.close();
  }
}

/** Both ends of a private socket. */
export interface SocketPair {
  /** Ours, which takes no descriptors. */
  readonly socket: MessageSocket;
  /** To be given away. */
  readonly other: OwnedFd;
}

/** @param space of our end. @throws {SocketError} */
export function openSocketPair(space: SocketSpace): SocketPair {
  const pair = newSocketPair();
  if (typeof pair === 'number') throw new SocketError('socketpair', -pair);
  const [ours, other] = pair;
  // Where the kernel cannot (before 6.16), the socket leaves them behind when it reads.
  refuseDescriptors(ours);
  return { socket: new MessageSocket(new OwnedFd(ours), space, false), other: new OwnedFd(other) };
}

/** The kernel's limit on fds in flight for a user; Node's table of errno does not have it. */
const ETOOMANYREFS = 109;

/**
 * Connects, without waiting.
 * @returns `busy` when the server has too many connections waiting to be accepted: try again
 * @throws {SocketError}
 */
export function connectSocket(target: BusSocket): MessageSocket | 'busy' {
  const number = newUnixSocket('stream');
  if (number < 0) throw new SocketError('socket', -number);
  const fd = new OwnedFd(number);
  const failure = -connectUnixSocket(fd.number, target);
  if (failure === 0) return new MessageSocket(fd);
  fd.close();
  if (failure === constants.errno.EAGAIN || failure === constants.errno.EINTR) return 'busy';
  throw new SocketError('connect', failure);
}
