import { fstatSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';

import { clearMapped } from './clear.js';
import { kernelCall, KernelError } from './errors.js';
import { fencesSignalled } from './fences.js';
import { ioctl, ioctlOffLoop } from './ioctl.js';
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
} from './memory-structs.js';

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
