import { NOTHING_KNOWN, type TrialRecord, type TrialStore } from './record.js';

/** Remembers as long as the daemon runs, so that a device that comes back is not tried again, and keeps it in another store. */
export class RememberingStore implements TrialStore {
  readonly #kept: TrialStore | undefined;
  #last: { readonly machine: string; readonly record: TrialRecord } | undefined;

  /** @param kept where the next start finds it; nowhere when absent */
  constructor(kept?: TrialStore) {
    this.#kept = kept;
  }

  async read(machine: string): Promise<TrialRecord> {
    if (this.#last?.machine === machine) return this.#last.record;
    return (await this.#kept?.read(machine)) ?? NOTHING_KNOWN;
  }

  async write(machine: string, record: TrialRecord): Promise<void> {
    this.#last = { machine, record };
    await this.#kept?.write(machine, record);
  }
}
