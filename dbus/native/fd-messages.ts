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
}

/** sendmsg and recvmsg of a unix socket, with descriptors and without waiting (unix(7)). What it builds it builds once. */
export class FdMessages {
  readonly #fd: number;
  readonly #incoming = new FdControl();
  readonly #outgoing = new FdControl();
  readonly #iov = Buffer.alloc(IOVEC.size);
  readonly #header = Buffer.alloc(MSGHDR.size);

  /** @param fd of a socket; borrowed */
  constructor(fd: number) {
    this.#fd = fd;
    MSGHDR.write(this.#header, 0, 'iov', addressOf(this.#iov));
    MSGHDR.write(this.#header, 0, 'iovLength', 1);
  }

  /** @returns bytes that went, or a negative errno */
  send(bytes: Buffer, fds: readonly Pick<OwnedFd, 'number'>[]): number {
    const controlLength = this.#outgoing.put(fds);
    this.#aim(bytes, controlLength === 0 ? undefined : this.#outgoing.bytes, controlLength);
    return this.#repeat(c.sendmsg, MSG_DONTWAIT | MSG_NOSIGNAL);
  }

  /** @returns a negative errno when nothing was read; EMFILE when descriptors were lost, because there is no room for more */
  receive(bytes: Buffer): FdMessage | number {
    this.#aim(bytes, this.#incoming.bytes, this.#incoming.bytes.length);
    const count = this.#repeat(c.recvmsg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (count < 0) return count;
    const fds = this.#incoming.take(MSGHDR.read(this.#header, 0, 'controlLength'));
    if ((MSGHDR.read(this.#header, 0, 'flags') & MSG_CTRUNC) === 0) return { count, fds };
    closeAll(fds);
    return -constants.errno.EMFILE;
  }

  #aim(bytes: Buffer, control: Buffer | undefined, controlLength: number): void {
    IOVEC.write(this.#iov, 0, 'base', addressOf(bytes));
    IOVEC.write(this.#iov, 0, 'length', bytes.length);
    MSGHDR.write(this.#header, 0, 'control', control === undefined ? 0 : addressOf(control));
    MSGHDR.write(this.#header, 0, 'controlLength', controlLength);
  }

  #repeat(call: typeof c.sendmsg, flags: number): number {
    for (;;) {
      const result = Number(call(this.#fd, this.#header, flags));
      if (result >= 0) return result;
      const number = errno();
      if (number !== constants.errno.EINTR) return -number;
    }
  }
}
