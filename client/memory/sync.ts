import { constants } from 'node:os';

import { declare } from '../../dbus/native/libc.js';
import { offLoop } from '../../dbus/native/off-loop.js';
import { DmabrokerError } from '../errors.js';

/** What a CPU does with the bytes while they are mapped. */
export interface CpuUse {
  readonly read?: boolean;
  readonly write?: boolean;
}

/** DMA_BUF_IOCTL_SYNC with these flags: 0, or the errno that it failed with. */
export type SyncCall = (fd: number, flags: bigint) => Promise<number>;

/**
 * Runs `use` between DMA_BUF_IOCTL_SYNC's start and end, so that what devices wrote is seen and what is written reaches
 * them. The start waits for devices that still work on the buffer. Memory that no device shares needs neither.
 * @param fd borrowed; open until the returned promise settles
 * @param call another kernel's, in tests
 */
export async function withSync<T>(
  fd: number,
  cpu: CpuUse,
  use: () => Promise<T>,
  call: SyncCall = ioctlSync,
): Promise<T> {
  const direction = (cpu.read === true ? SYNC_READ : 0n) | (cpu.write === true ? SYNC_WRITE : 0n);
  if (!(await sync(call, fd, SYNC_START | direction))) return use();
  try {
    return await use();
  } finally {
    await sync(call, fd, SYNC_END | direction);
  }
}

/** False when the file is no dma-buf. */
async function sync(call: SyncCall, fd: number, flags: bigint): Promise<boolean> {
  for (;;) {
    const failed = await call(fd, flags);
    if (failed === 0) return true;
    if (failed === ENOTTY) return false;
    if (failed === EINTR || failed === EAGAIN) continue;
    throw new DmabrokerError(
      'NotMappable',
      `the buffer cannot be mapped: DMA_BUF_IOCTL_SYNC failed (errno ${failed})`,
    );
  }
}

/** Not declared variadic, as C has it: a variadic function cannot run on the thread pool, and one pointer is passed alike. */
const ioctl = declare('int ioctl(int fd, unsigned long request, void *argument)');

/** On the thread pool: it can wait for a fence. */
async function ioctlSync(fd: number, flags: bigint): Promise<number> {
  try {
    const { result, errno } = await offLoop(ioctl, fd, DMA_BUF_IOCTL_SYNC, BigUint64Array.of(flags));
    return result === 0 ? 0 : errno;
  } catch (cause) {
    throw new DmabrokerError('NotMappable', 'ioctl could not be called', { cause });
  }
}

const { ENOTTY, EINTR, EAGAIN } = constants.errno;

const SYNC_READ = 1n;
const SYNC_WRITE = 2n;
const SYNC_START = 0n;
const SYNC_END = 4n;

/** `_IOW('b', 0, struct dma_buf_sync)`: direction, size of the argument, type and number. */
export const DMA_BUF_IOCTL_SYNC = (1 << 30) | (BigUint64Array.BYTES_PER_ELEMENT << 16) | (0x62 << 8);
