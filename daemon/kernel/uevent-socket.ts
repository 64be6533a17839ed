import { constants } from 'node:os';

import { declare, errno } from '../../dbus/native/libc.js';
import { OwnedFd } from '../../dbus/owned-fd.js';
import { KernelError } from './errors.js';
import * as netlink from './netlink-structs.js';

const c = {
  socket: declare('int socket(int domain, int type, int protocol)'),
  bind: declare('int bind(int fd, const void *address, uint32 length)'),
  setsockopt: declare('int setsockopt(int fd, int level, int option, const void *value, uint32 length)'),
  recvfrom: declare(
    'int64 recvfrom(int fd, void *bytes, size_t length, int flags, void *address, void *addressLength)',
  ),
};

/** The multicast group that the kernel itself sends to; udev's messages go to another. */
const KERNEL_GROUP = 1;
/** Port of the kernel, which no process can have (netlink(7)). */
const KERNEL_PORT = 0;
/** Room for a path and the 2 KiB of variables that an event has at most (UEVENT_BUFFER_SIZE, linux/kobject.h). */
const DATAGRAM_BYTES = 8192;
/** Bytes of datagrams that may wait, as far as net.core.rmem_max lets us: a few hundred, or seconds of a busy start. */
const RECEIVE_BUFFER_BYTES = 512 * 1024;

/**
 * One datagram that was read: from the kernel, or from a process, which is ignored; `lost` when some did not fit.
 * The bytes are overwritten by the next read.
 */
export type UeventRead = { readonly kernel: boolean; readonly bytes: Buffer } | 'blocked' | 'lost';

/** A netlink socket for the kernel's events about devices. */
export interface UeventSocket {
  /** The number, lent. */
  readonly fd: number;
  /** @throws {KernelError} when the socket is of no use any more */
  read(): UeventRead;
  close(): void;
}

/** @throws {KernelError} EAFNOSUPPORT where a sandbox forbids netlink, EPROTONOSUPPORT where the kernel has none */
export function openUeventSocket(): UeventSocket {
  const type = netlink.SOCK_DGRAM | netlink.SOCK_CLOEXEC | netlink.SOCK_NONBLOCK;
  const number = c.socket(netlink.AF_NETLINK, type, netlink.NETLINK_KOBJECT_UEVENT) as number;
  if (number < 0) throw new KernelError('socket', errno());
  const fd = new OwnedFd(number);
  try {
    const asked = Uint32Array.of(RECEIVE_BUFFER_BYTES);
    check(
      'SO_RCVBUF',
      c.setsockopt(fd.number, netlink.SOL_SOCKET, netlink.SO_RCVBUF, asked, asked.byteLength),
    );
    const address = netlink.sockaddrNl.make({ nl_family: netlink.AF_NETLINK, nl_groups: KERNEL_GROUP });
    check('bind', c.bind(fd.number, address, address.length));
  } catch (error) {
    fd.close();
    throw error;
  }
  return new NetlinkSocket(fd);
}

class NetlinkSocket implements UeventSocket {
  readonly #fd: OwnedFd;
  readonly #bytes = Buffer.alloc(DATAGRAM_BYTES);
  readonly #sender = netlink.sockaddrNl.make({});
  readonly #senderLength = new Uint32Array(1);

  constructor(fd: OwnedFd) {
    this.#fd = fd;
  }

  get fd(): number {
    return this.#fd.number;
  }

  read(): UeventRead {
    const length = this.#receive();
    if (typeof length === 'string') return length;
    if (length > this.#bytes.length) return 'lost';
    const kernel = netlink.sockaddrNl.read(this.#sender, 0, 'nl_pid') === KERNEL_PORT;
    return { kernel, bytes: this.#bytes.subarray(0, length) };
  }

  close(): void {
    this.#fd.close();
  }

  #receive(): number | 'blocked' | 'lost' {
    const { EINTR, EAGAIN, ENOBUFS } = constants.errno;
    // With MSG_TRUNC the kernel says how long the datagram was, however much of it fitted.
    const flags = netlink.MSG_DONTWAIT | netlink.MSG_TRUNC;
    for (;;) {
      this.#senderLength[0] = this.#sender.length;
      const length = Number(
        c.recvfrom(this.#fd.number, this.#bytes, DATAGRAM_BYTES, flags, this.#sender, this.#senderLength),
      );
      if (length >= 0) return length;
      const number = errno();
      if (number === EAGAIN) return 'blocked';
      if (number === ENOBUFS) return 'lost';
      if (number !== EINTR) throw new KernelError('recvfrom', number);
    }
  }
}

function check(call: string, result: unknown): void {
  if (result !== 0) throw new KernelError(call, errno());
}
