import type { MemoryClass } from '../../../dbus/names.js';
import type { Fact, Retention } from '../inventory.js';
import type { Verdict } from './verdict.js';

/** What trials showed, under keys (`keys.ts`) that mean the same on the next start. */
export interface TrialRecord {
  /** By device and heap. */
  readonly reach: ReadonlyMap<string, readonly Verdict[]>;
  /** By heap. */
  readonly classes: ReadonlyMap<string, MemoryClass>;
  /** By heap. */
  readonly retention: ReadonlyMap<string, Fact<Retention>>;
}

export const NOTHING_KNOWN: TrialRecord = {
  reach: new Map(),
  classes: new Map(),
  retention: new Map(),
};

/** Where trials are kept from one start to the next. Neither function rejects: what fails is said in a warning. */
export interface TrialStore {
  /** What is known; nothing where it was another machine or another kernel. @param machine `machineKey` */
  read(machine: string): Promise<TrialRecord>;
  /** Replaces what is kept. What does not fit is left out from the end. */
  write(machine: string, record: TrialRecord): Promise<void>;
}
