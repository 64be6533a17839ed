import { endianness } from 'node:os';

import { OwnedFd } from '../owned-fd.js';
import { StructLayout } from './layout.js';

/** SCM_MAX_FD of the kernel: more in one sendmsg is EINVAL. */
export const MAX_FDS_PER_MESSAGE = 253;

const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
/** Bytes of an `int`. */
const INT_BYTES = 4;

const CMSGHDR = new StructLayout({ length: 'size_t', level: 'int', type: 'int' });
const WORD_BYTES = new StructLayout({ word: 'size_t' }).size;

/** CMSG_ALIGN of cmsg(3). */
const aligned = (length: number): number => Math.ceil(length / WORD_BYTES) * WORD_BYTES;
const DATA = aligned(CMSGHDR.size);

/** The control data of a message: the buffer in which descriptors come and go (cmsg(3), unix(7)). */
export class FdControl {
  /** Room for as many fds as one message can carry. */
  readonly bytes = Buffer.alloc(DATA + aligned(MAX_FDS_PER_MESSAGE * INT_BYTES));

  /** Writes a control message with the fds. @returns its bytes, 0 when there are none */
  put(fds: readonly Pick<OwnedFd, 'number'>[]): number {
    if (fds.length === 0) return 0;
    const length = DATA + fds.length * INT_BYTES;
    CMSGHDR.write(this.bytes, 0, 'length', length);
    CMSGHDR.write(this.bytes, 0, 'level', SOL_SOCKET);
    CMSGHDR.write(this.bytes, 0, 'type', SCM_RIGHTS);
    fds.forEach((fd, i) => {
      writeInt(this.bytes, fd.number, DATA + i * INT_BYTES);
    });
    return length;
  }

  /** All fds of the control messages that the kernel wrote: they are open, and the caller's. */
  take(controlLength: number): OwnedFd[] {
    const fds: OwnedFd[] = [];
    for (let at = 0; at + DATA <= controlLength;) {
      const length = CMSGHDR.read(this.bytes, at, 'length');
      if (length < DATA) break;
      if (
        CMSGHDR.read(this.bytes, at, 'level') === SOL_SOCKET &&
        CMSGHDR.read(this.bytes, at, 'type') === SCM_RIGHTS
      )
        for (let fdAt = at + DATA; fdAt + INT_BYTES <= at + length; fdAt += INT_BYTES)
          fds.push(new OwnedFd(readInt(this.bytes, fdAt)));
      at += aligned(length);
    }
    return fds;
  }
}

const LITTLE = endianness() === 'LE';

const readInt = (bytes: Buffer, at: number): number =>
  LITTLE ? bytes.readInt32LE(at) : bytes.readInt32BE(at);

const writeInt = (bytes: Buffer, value: number, at: number): number =>
  LITTLE ? bytes.writeInt32LE(value, at) : bytes.writeInt32BE(value, at);
