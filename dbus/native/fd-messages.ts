import { constants } from 'node:os';

import { closeAll, type OwnedFd } from '../owned-fd.js';
import { FdControl } from './fd-control.js';
import { addressOf, StructLayout } from './layout.js';
import { declare, errno } from './libc.js';

const c = {
  sendmsg: declare('int64 sendmsg(int fd, const void *message, int flags)'),
  recvmsg: declare('int64 recvmsg(int fd, void *message, int flags)'),
};

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

/** What one recvmsg returned. */
export interface FdMessage {
  /** Bytes that were read; 0 at the end of a stream. */
  readonly count: number;
  /** Open and close-on-exec; the caller's. */
  readonly fds: readonly OwnedFd[];
  /** Descriptors came that this process has no room for or does not take; they are gone, and so are those with them. */
  readonly lost?: true;
}

/** Bytes up to which a message is copied before it is sent: cheaper than telling the kernel where each one lies. */
const MAX_COPIED_BYTES = 16_384;

/** What the calls of any number of sockets are made with, one after the other. */
export class MessageSpace {
  readonly incoming = new MessageHeader();
  readonly outgoing = new MessageHeader();
  readonly copy = Buffer.alloc(MAX_COPIED_BYTES);
}

/** sendmsg and recvmsg of a unix socket, with descriptors and without waiting (unix(7)). What it builds it builds once. */
export class FdMessages {
  readonly #fd: number;
  readonly #space: MessageSpace;

  /**
   * @param fd of a socket; borrowed
   * @param space that other sockets may have, too
   */
  constructor(fd: number, space = new MessageSpace()) {
    this.#fd = fd;
    this.#space = space;
  }

  /** @returns bytes that went, or a negative errno */
  send(bytes: Buffer, fds: readonly Pick<OwnedFd, 'number'>[]): number {
    const { outgoing: out, copy } = this.#space;
    if (bytes.length <= MAX_COPIED_BYTES) {
      copy.set(bytes);
      out.aim(copy, bytes.length);
    } else out.aim(bytes, bytes.length);
    out.controlLength = out.control.put(fds);
    return this.#repeat(c.sendmsg, out, MSG_DONTWAIT | MSG_NOSIGNAL);
  }

  /**
   * @param takesFds without it, descriptors that come are never this process's: the kernel lets them go, as `lost`
   * @returns a negative errno when nothing was read
   */
  receive(bytes: Buffer, takesFds = true): FdMessage | number {
    const { incoming: into } = this.#space;
    into.aim(bytes, bytes.length);
    into.controlLength = takesFds ? into.control.bytes.length : 0;
    const count = this.#repeat(c.recvmsg, into, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (count < 0) return count;
    const fds = takesFds ? into.control.take(into.controlLength) : [];
    if ((into.flags & MSG_CTRUNC) === 0) return { count, fds };
    closeAll(fds);
    return { count, fds: [], lost: true };
  }

  #repeat(call: typeof c.sendmsg, { bytes }: MessageHeader, flags: number): number {
    for (;;) {
      const result = Number(call(this.#fd, bytes, flags));
      if (result >= 0) return result;
      const number = errno();
      if (number !== constants.errno.EINTR) return -number;
    }
  }
}

/** A `msghdr` with what it points to, of which little changes from one call to the next. */
class MessageHeader {
  readonly bytes = Buffer.alloc(MSGHDR.size);
  readonly control = new FdControl();
  readonly #iov = Buffer.alloc(IOVEC.size);
  /** What it is aimed at; kept, because the kernel may look there. */
  #target: Buffer | undefined;
  #length = 0;

  constructor() {
    MSGHDR.write(this.bytes, 0, 'iov', addressOf(this.#iov));
    MSGHDR.write(this.bytes, 0, 'iovLength', 1);
    MSGHDR.write(this.bytes, 0, 'control', addressOf(this.control.bytes));
  }

  /** Aims at the first so many bytes of a buffer. */
  aim(target: Buffer, length: number): void {
    if (target !== this.#target) IOVEC.write(this.#iov, 0, 'base', addressOf(target));
    if (length !== this.#length) IOVEC.write(this.#iov, 0, 'length', length);
    this.#target = target;
    this.#length = length;
  }

  get flags(): number {
    return MSGHDR.read(this.bytes, 0, 'flags');
  }

  get controlLength(): number {
    return MSGHDR.read(this.bytes, 0, 'controlLength');
  }

  /** Without any, the kernel does not look at where it points. */
  set controlLength(bytes: number) {
    MSGHDR.write(this.bytes, 0, 'controlLength', bytes);
  }
}
