import { constants } from 'node:fs';
import { freemem, constants as os } from 'node:os';

import { declare, errno } from '../../dbus/native/libc.js';
import { OwnedFd } from '../../dbus/owned-fd.js';
import { KernelError } from './errors.js';
import { ioctlOffLoop, repeatOffLoop } from './ioctl.js';
import type { MemoryCalls } from './kernel.js';
import { freePages, isOpenElsewhere, reopen } from './lent-memory.js';
import { DMA_HEAP_IOCTL_ALLOC, dmaHeapAllocation, UDMABUF_CREATE, udmabufCreate } from './memory-structs.js';
import { Mapping } from './mapping.js';
import { O_CLOEXEC, openPath, requireNode } from './open-node.js';
import { requireSizeWithin } from './size-limit.js';

const memfdCreate = declare('int memfd_create(const char *name, unsigned int flags)');
const fcntl = declare('int fcntl(int fd, int cmd, ...)');
const ftruncate = declare('int ftruncate(int fd, int64 length)');
const fallocate = declare('int fallocate(int fd, int mode, int64 offset, int64 length)');

/** linux/memfd.h and linux/fcntl.h. */
export const MFD = { CLOEXEC: 1, ALLOW_SEALING: 2, NOEXEC_SEAL: 8 } as const;
export const F_ADD_SEALS = 1033;
export const F_SEAL = { SEAL: 1, SHRINK: 2, GROW: 4 } as const;

export const memoryCalls: MemoryCalls = {
  openNode: (path) => requireNode(openPath(path)),

  async createMemfd(name, size) {
    // The kernel itself goes on until nothing is left, and then ends other processes: no process is charged for these pages.
    requireSizeWithin('fallocate', size, BigInt(freemem()));
    return undoable(createEmptyMemfd(name), async (memfd) => {
      check('ftruncate', ftruncate(memfd.number, size));
      // Makes the pages and clears them here, on the thread pool, instead of when they are first touched.
      await repeatOffLoop('fallocate', fallocate, memfd.number, 0, 0, size);
      const seals = F_SEAL.SHRINK | F_SEAL.GROW | F_SEAL.SEAL;
      check('F_ADD_SEALS', fcntl(memfd.number, F_ADD_SEALS, 'int', seals));
    });
  },

  async allocateDmaHeap(heap, size) {
    requireSizeWithin('DMA_HEAP_IOCTL_ALLOC', size, MAX_LEN);
    const argument = dmaHeapAllocation.make({ len: size, fd_flags: constants.O_RDWR | O_CLOEXEC });
    await ioctlOffLoop(DMA_HEAP_IOCTL_ALLOC, heap, argument);
    return new OwnedFd(dmaHeapAllocation.read(argument, 0, 'fd'));
  },

  async createUdmabuf(udmabuf, memfd, size) {
    const argument = udmabufCreate.make({ memfd, flags: UDMABUF_FLAGS_CLOEXEC, size });
    return new OwnedFd(await ioctlOffLoop(UDMABUF_CREATE, udmabuf, argument));
  },

  reopen,
  isOpenElsewhere,
  freePages,

  map: (fd, offset, size) => new Mapping(fd, offset, size),
};

export const UDMABUF_FLAGS_CLOEXEC = 1;

/** What `len` can say. */
const MAX_LEN = 2n ** 64n - 1n;

function createEmptyMemfd(name: string): OwnedFd {
  const flags = MFD.CLOEXEC | MFD.ALLOW_SEALING;
  // Linux before 6.3 does not know that memory can be made not executable for good.
  for (const more of [MFD.NOEXEC_SEAL, 0]) {
    const fd = memfdCreate(name, flags | more) as number;
    if (fd >= 0) return new OwnedFd(fd);
    const number = errno();
    if (number !== os.errno.EINVAL || more === 0) throw new KernelError('memfd_create', number);
  }
  throw new KernelError('memfd_create', os.errno.EINVAL);
}

/** Hands the descriptor on when everything went well, and closes it otherwise. */
async function undoable(fd: OwnedFd, work: (fd: OwnedFd) => Promise<void>): Promise<OwnedFd> {
  try {
    await work(fd);
    return fd;
  } catch (error) {
    fd.close();
    throw error;
  }
}

function check(name: string, result: unknown): void {
  if (result !== 0) throw new KernelError(name, errno());
}
