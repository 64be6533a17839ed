import type { Inventory } from '../devices/inventory.js';
import type { Persistence } from '../ledger/persist/restore.js';
import type { Heap } from '../heaps/heap.js';
import type { DmaBufCalls, PressureCalls } from '../kernel/kernel.js';
import type { Log } from '../base/log.js';
import type { Policy } from '../policy/policy.js';
import type { Clock, Later } from '../base/time.js';

/** The machine as it is at a time. */
export interface MachineState {
  readonly inventory: Inventory;
  /** The heaps that could be opened; the broker's from now on. */
  readonly heaps: readonly Heap[];
  /** Warnings beside the inventory's, such as that a heap could not be opened. */
  readonly warnings: readonly string[];
}

/** How the machine is at the start, and what the broker needs besides. */
export interface BrokerOptions extends MachineState {
  readonly policy: Policy;
  /** Reads policy again. Rejects when it cannot be used. */
  readonly loadPolicy: () => Promise<Policy>;
  /** Whether plain memory is handed out by policy's word only (on the system bus). */
  readonly plainByPolicy: boolean;
  readonly dmaBuf: DmaBufCalls;
  readonly pressure: PressureCalls;
  /** Has what is handed out outlive the process, and brings what outlived the last one; nothing does when absent. */
  readonly persistence?: Persistence;
  /** So many random bytes in hexadecimal. */
  readonly randomHex: (bytes: number) => string;
  /** Microseconds since the epoch. */
  readonly now: () => bigint;
  readonly later: Later;
  readonly clock: Clock;
  /** Told when memory begins to be made or cleared, and when none is any more. */
  readonly working?: (isWorking: boolean) => void;
  readonly log: Pick<Log, 'warn' | 'debug'>;
}
