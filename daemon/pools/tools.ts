import type { DmaBufCalls } from '../kernel/kernel.js';
import type { DeferredClose } from './deferred-close.js';
import type { Semaphore } from './semaphore.js';
import type { Clock } from '../base/time.js';
import type { Maintenance } from './maintenance.js';
import type { FdStore } from './fd-store.js';

/** What pools ask the kernel about their buffers, and do to them. */
export type BufferCalls = Pick<DmaBufCalls, 'size' | 'setName' | 'clear'>;

/** Whether the machine has memory to spare. */
export interface MemoryHeadroom {
  /** Whether what is there may lie ready. */
  readonly mayKeep: boolean;
  /** Whether so many bytes more may. */
  mayGrow(bytes: bigint): boolean;
}

/** What all pools share. */
export interface PoolTools {
  readonly semaphore: Semaphore;
  readonly deferredClose: DeferredClose;
  readonly fdStore: FdStore;
  readonly maintenance: Maintenance;
  readonly buffers: BufferCalls;
  /** Whether anybody but the broker can still reach a buffer. Asked of heaps that count references. */
  readonly inUse: (fd: number) => boolean;
  readonly clock: Clock;
  readonly headroom: MemoryHeadroom;
  /** Gives back all ready buffers that are made of RAM, because a request found none. @returns whether there was any */
  readonly giveWay: () => boolean;
}
