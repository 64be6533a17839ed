import { constants } from 'node:os';

import { declare, errno } from '../../dbus/native/libc.js';
import { DmabrokerError } from '../errors.js';

/** What a CPU does with the bytes while they are mapped. */
export interface CpuUse {
  readonly read?: boolean;
  readonly write?: boolean;
}

/**
 * Runs `use` between DMA_BUF_IOCTL_SYNC's start and end, so that what devices wrote is seen and what is written reaches
 * them. The start waits for devices that still work on the buffer. Memory that no device shares needs neither.
 * @param fd borrowed; open until the returned promise settles
 */
export async function withSync<T>(fd: number, cpu: CpuUse, use: () => Promise<T>): Promise<T> {
  const direction = (cpu.read === true ? SYNC_READ : 0n) | (cpu.write === true ? SYNC_WRITE : 0n);
  if (!(await sync(fd, SYNC_START | direction))) return use();
  try {
    return await use();
  } finally {
    await sync(fd, SYNC_END | direction);
  }
}

/** False when the file is no dma-buf. On the thread pool: it can wait for a fence. */
async function sync(fd: number, flags: bigint): Promise<boolean> {
  const argument = BigUint64Array.of(flags);
  for (;;) {
    const failed = await new Promise<number>((resolve, reject) => {
      ioctl.async(fd, DMA_BUF_IOCTL_SYNC, argument, (error: unknown, result: unknown) => {
        const number = errno();
        if (error !== null)
          reject(new DmabrokerError('NotMappable', 'ioctl could not be called', { cause: error }));
        else resolve(result === 0 ? 0 : number);
      });
    });
    if (failed === 0) return true;
    if (failed === constants.errno.ENOTTY) return false;
    if (failed !== constants.errno.EINTR && failed !== constants.errno.EAGAIN) {
      throw new DmabrokerError(
        'NotMappable',
        `the buffer cannot be mapped: DMA_BUF_IOCTL_SYNC failed (errno ${failed})`,
      );
    }
  }
}

/** Not declared variadic, as C has it: a variadic function cannot run on the thread pool, and one pointer is passed alike. */
const ioctl = declare('int ioctl(int fd, unsigned long request, void *argument)');

const SYNC_READ = 1n;
const SYNC_WRITE = 2n;
const SYNC_START = 0n;
const SYNC_END = 4n;

/** `_IOW('b', 0, struct dma_buf_sync)`: direction, size of the argument, type and number. */
const DMA_BUF_IOCTL_SYNC = (1 << 30) | (BigUint64Array.BYTES_PER_ELEMENT << 16) | (0x62 << 8);
