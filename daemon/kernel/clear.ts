import { constants } from 'node:os';

import { declare } from '../../dbus/native/libc.js';
import type { OwnedFd } from '../../dbus/owned-fd.js';
import { KernelError } from './errors.js';
import { repeatOffLoop } from './ioctl.js';
import { MAP_SHARED, PROT_WRITE } from './memory-structs.js';

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
