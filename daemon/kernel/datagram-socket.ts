import { unlinkSync } from 'node:fs';
import { constants } from 'node:os';

import { FdMessages } from '../../dbus/native/fd-messages.js';
import { FdWatch } from '../../dbus/native/fd-watch.js';
import {
  bindUnixSocket,
  connectUnixSocket,
  newUnixSocket,
  type UnixAddress,
} from '../../dbus/native/unix-socket.js';
import { OwnedFd } from '../../dbus/owned-fd.js';
import { KernelError } from './errors.js';

/** Bytes of one datagram: more than anybody here sends. */
const MAX_DATAGRAM_BYTES = 65_536;

/** What one datagram brought. */
export interface Datagram {
  readonly text: string;
  /** The receiver's. */
  readonly fds: readonly OwnedFd[];
}

/** The sending end of a unix datagram socket. */
export interface DatagramSender extends Disposable {
  /**
   * Sends one datagram with descriptors, which stay the caller's.
   * @returns false when the other side has no room now
   * @throws {KernelError} ECONNREFUSED when no process listens any more
   */
  send(content: string | Buffer, fds?: readonly Pick<OwnedFd, 'number'>[]): boolean;
}

/** @param path a file, or `@` and an abstract name. @throws {KernelError} ENOENT or ECONNREFUSED when no process listens */
export function connectDatagrams(path: string): DatagramSender {
  const fd = openSocket();
  try {
    check('connect', connectUnixSocket(fd.number, addressOf(path)));
  } catch (error) {
    fd.close();
    throw error;
  }
  const messages = new FdMessages(fd.number);
  const { EAGAIN, ENOBUFS } = constants.errno;
  return {
    send: (content, fds = []) => {
      const sent = messages.send(typeof content === 'string' ? Buffer.from(content) : content, fds);
      if (sent === -EAGAIN || sent === -ENOBUFS || sent === -ETOOMANYREFS) return false;
      check('sendmsg', sent);
      return true;
    },
    [Symbol.dispose]: () => {
      fd.close();
    },
  };
}

/**
 * Listens for datagrams until it is disposed, which takes the file away too.
 * @param path a file that is not there yet
 * @param received takes the descriptors
 * @throws {KernelError} EADDRINUSE when there is a file already
 */
export function listenForDatagrams(path: string, received: (datagram: Datagram) => void): Disposable {
  const fd = openSocket();
  try {
    check('bind', bindUnixSocket(fd.number, addressOf(path)));
  } catch (error) {
    fd.close();
    throw error;
  }
  const messages = new FdMessages(fd.number);
  const bytes = Buffer.alloc(MAX_DATAGRAM_BYTES);
  const watch = new FdWatch(fd.number, () => {
    const message = messages.receive(bytes);
    // What cannot be read is lost: who sent it waits for an answer in vain.
    if (typeof message === 'number' || message.lost === true) return;
    received({ text: bytes.toString('utf8', 0, message.count), fds: message.fds });
  });
  watch.watch({ readable: true, writable: false });
  return {
    [Symbol.dispose]: () => {
      watch.close();
      fd.close();
      try {
        unlinkSync(path);
      } catch {
        // Another process was faster, and it cannot be reached any more either way.
      }
    },
  };
}

/** The kernel's limit on fds in flight for a user; Node's table of errno does not have it. */
const ETOOMANYREFS = 109;

function openSocket(): OwnedFd {
  const number = newUnixSocket('datagram');
  check('socket', number);
  return new OwnedFd(number);
}

const addressOf = (path: string): UnixAddress =>
  path.startsWith('@')
    ? { kind: 'abstract', name: Buffer.from(path.slice(1)) }
    : { kind: 'path', name: Buffer.from(path) };

function check(call: string, result: number): void {
  if (result < 0) throw new KernelError(call, -result);
}
