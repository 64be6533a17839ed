import type { DmaBufCalls } from '../kernel/kernel.js';
import type { Closer } from './closer.js';
import type { Gate } from './gate.js';
import type { Clock } from './time.js';
import type { Upkeep } from './upkeep.js';
import type { Vault } from './vault.js';

/** What pools ask the kernel about their buffers, and do to them. */
export type BufferCalls = Pick<DmaBufCalls, 'size' | 'setName' | 'clear'>;

/** Whether the machine has memory to spare. */
export interface Plenty {
  /** Whether what is there may lie ready. */
  readonly mayKeep: boolean;
  /** Whether so many bytes more may. */
  mayGrow(bytes: bigint): boolean;
}

/** What all pools share. */
export interface PoolTools {
  readonly gate: Gate;
  readonly closer: Closer;
  readonly vault: Vault;
  readonly upkeep: Upkeep;
  readonly buffers: BufferCalls;
  /** Whether anybody but the broker can still reach a buffer. Asked of heaps that count references. */
  readonly inUse: (fd: number) => boolean;
  readonly clock: Clock;
  readonly plenty: Plenty;
  /** Gives back everything that lies ready of the machine's RAM, because somebody has none. @returns whether there was any */
  readonly giveWay: () => boolean;
}
