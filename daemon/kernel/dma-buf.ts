import { fstatSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';

import { declare } from '../../dbus/native/libc.js';
import type { OwnedFd } from '../../dbus/owned-fd.js';
import { kernelCall, KernelError } from './errors.js';
import { ioctl, ioctlOffLoop, repeatOffLoop, repeat } from './ioctl.js';
import type { DmaBufCalls } from './kernel.js';
import { memoryCalls } from './memory.js';
import { pinFirstPage } from './page-pins.js';
import {
  DMA_BUF_IOCTL_SYNC,
  DMA_BUF_SET_NAME,
  DMA_BUF_SYNC_END,
  DMA_BUF_SYNC_START,
  DMA_BUF_SYNC_WRITE,
  dmaBufSync,
  MAP_SHARED,
  PROT_WRITE,
} from './memory-structs.js';
import { pollfd, POLLOUT } from './poll-structs.js';

const poll = declare('int poll(void *fds, unsigned long count, int timeout)');

/**
 * Whether a dma-buf can be written now: every fence on it is signalled (dma-buf.h, "implicit fence polling"). Asking while
 * one is not leaves a reference on the buffer until it is.
 * @throws {KernelError}
 */
export function fencesSignalled(dmaBuf: number): boolean {
  const request = pollfd.make({ fd: dmaBuf, events: POLLOUT });
  repeat('poll', poll, request, 1, 0);
  return pollfd.read(request, 0, 'revents') === POLLOUT;
}

export const dmaBufCalls: DmaBufCalls = {
  setName(dmaBuf, label) {
    ioctl(DMA_BUF_SET_NAME, dmaBuf, Buffer.from(`${label}\0`));
  },

  references(dmaBuf) {
    const count = referencesIn(
      kernelCall('fdinfo', () => readFileSync(`/proc/self/fdinfo/${dmaBuf}`, 'latin1')),
    );
    // A file that is no dma-buf, as the kernel would say of any other call on one.
    if (count === undefined) throw new KernelError('fdinfo', ENOTTY);
    return count;
  },

  signalled: fencesSignalled,

  inode: (fd) => kernelCall('fstat', () => fstatSync(fd, { bigint: true }).ino),

  size: (fd) => kernelCall('fstat', () => fstatSync(fd, { bigint: true }).size),

  async clear(dmaBuf) {
    using zeroes = memoryCalls.openNode('/dev/zero');
    await sync(dmaBuf, DMA_BUF_SYNC_START);
    try {
      await clearMapped(dmaBuf, dmaBufCalls.size(dmaBuf), zeroes);
    } finally {
      await sync(dmaBuf, DMA_BUF_SYNC_END);
    }
  },

  pinFirstPage(dmaBuf, sharing) {
    using random = memoryCalls.openNode('/dev/urandom');
    return pinFirstPage(dmaBuf, sharing, random.number);
  },
};

/** Begins or ends the CPU's writing, so that devices see what caches hold. */
const sync = (dmaBuf: number, edge: number): Promise<number> =>
  ioctlOffLoop(DMA_BUF_IOCTL_SYNC, dmaBuf, dmaBufSync.make({ flags: DMA_BUF_SYNC_WRITE | edge }));

const { ENOTTY } = constants.errno;

/**
 * The number behind the first `count:` of an fdinfo. Only the first counts: the label comes after it, and a label with a
 * line feed in it could forge another.
 */
export function referencesIn(fdinfo: string): number | undefined {
  const digits = /^count:\s*(\d+)$/m.exec(fdinfo)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

const mmap = declare(
  'intptr_t mmap(void *address, size_t length, int protection, int flags, int fd, int64 offset)',
);
const munmap = declare('int munmap(uintptr_t address, size_t length)');
const read = declare('int64 read(int fd, uintptr_t to, size_t length)');

/**
 * Writes zeroes over the first `size` bytes of a file that can be mapped, on the thread pool. The kernel writes them,
 * from /dev/zero: where memory is gone, as that of a device that was unplugged, it answers EFAULT, whereas a write of
 * our own would be a signal that ends the process.
 * @param zeroes /dev/zero, open; borrowed like `fd`
 * @throws {KernelError} also EIO for a `zeroes` that ends
 */
export async function clearMapped(fd: number, size: bigint, zeroes: OwnedFd): Promise<void> {
  const address = await repeatOffLoop('mmap', mmap, null, size, PROT_WRITE, MAP_SHARED, fd, 0);
  try {
    // One read takes no more than 2 GiB, and less when it is interrupted.
    for (let done = 0, more; done < size; done += more) {
      more = await repeatOffLoop('read', read, zeroes.number, address + done, size - BigInt(done));
      if (more === 0) throw new KernelError('read', constants.errno.EIO);
    }
  } finally {
    await repeatOffLoop('munmap', munmap, address, size);
  }
}
