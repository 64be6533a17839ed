import type { MemoryClass } from '../../../dbus/names.js';
import type { Fact, Retention } from '../inventory.js';
import type { ProbeResult } from './result.js';

/** What trials showed, under keys (`keys.ts`) that mean the same on the next start. */
export interface ProbeRecord {
  /** By device and heap. */
  readonly reach: ReadonlyMap<string, readonly ProbeResult[]>;
  /** By heap. */
  readonly classes: ReadonlyMap<string, MemoryClass>;
  /** By heap. */
  readonly retention: ReadonlyMap<string, Fact<Retention>>;
}

export const NOTHING_KNOWN: ProbeRecord = {
  reach: new Map(),
  classes: new Map(),
  retention: new Map(),
};

/** Where trials are kept from one start to the next. Neither function rejects: what fails is said in a warning. */
export interface ProbeStore {
  /** What is known; nothing where it was another machine or another kernel. @param machine `machineKey` */
  read(machine: string): Promise<ProbeRecord>;
  /** Replaces what is kept. What does not fit is left out from the end. */
  write(machine: string, record: ProbeRecord): Promise<void>;
}

/** Remembers as long as the daemon runs, so that a device that comes back is not tried again, and keeps it in another store. */
export class CachingStore implements ProbeStore {
  readonly #kept: ProbeStore | undefined;
  #last: { readonly machine: string; readonly record: ProbeRecord } | undefined;

  /** @param kept where the next start finds it; nowhere when absent */
  constructor(kept?: ProbeStore) {
    this.#kept = kept;
  }

  async read(machine: string): Promise<ProbeRecord> {
    if (this.#last?.machine === machine) return this.#last.record;
    return (await this.#kept?.read(machine)) ?? NOTHING_KNOWN;
  }

  async write(machine: string, record: ProbeRecord): Promise<void> {
    this.#last = { machine, record };
    await this.#kept?.write(machine, record);
  }
}
