import type { MemoryClass } from '../../../dbus/names.js';
import type { Fact, Retention } from '../inventory.js';
import type { TrialRecord } from './record.js';
import type { Learned, Verdict } from './verdict.js';

/** What earlier starts saw, and what this one adds. */
export class TrialMemory {
  readonly #known: TrialRecord;
  readonly #reach = new Map<string, readonly Verdict[]>();
  readonly #classes = new Map<string, MemoryClass>();
  readonly #retention = new Map<string, Fact<Retention>>();
  #learned = false;

  constructor(known: TrialRecord) {
    this.#known = known;
  }

  /** Whether there is anything that was not known before. */
  get learned(): boolean {
    return this.#learned;
  }

  reach(key: string): readonly Verdict[] | undefined {
    const verdicts = this.#known.reach.get(key);
    if (verdicts !== undefined) this.#reach.set(key, verdicts);
    return verdicts;
  }

  class(key: string): MemoryClass | undefined {
    const value = this.#known.classes.get(key);
    if (value !== undefined) this.#classes.set(key, value);
    return value;
  }

  retention(key: string): Fact<Retention> | undefined {
    return this.#known.retention.get(key);
  }

  /** What left something open is not kept: the next start tries it again. */
  learnReach(key: string, { verdicts, unclear }: Learned): void {
    if (unclear !== undefined) return;
    this.#reach.set(key, verdicts);
    this.#learned = true;
  }

  learnClass(key: string, value: MemoryClass): void {
    this.#classes.set(key, value);
    this.#learned = true;
  }

  learnRetention(key: string, value: Fact<Retention>): void {
    this.#learned ||= this.#known.retention.get(key) !== value;
    this.#retention.set(key, value);
  }

  /** Everything, what was of use now before what is of devices that are not there. */
  record(): TrialRecord {
    return {
      reach: new Map([...this.#reach, ...[...this.#known.reach].filter(([key]) => !this.#reach.has(key))]),
      classes: new Map([
        ...this.#classes,
        ...[...this.#known.classes].filter(([key]) => !this.#classes.has(key)),
      ]),
      retention: new Map([...this.#known.retention, ...this.#retention]),
    };
  }
}
