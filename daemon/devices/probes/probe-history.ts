import type { MemoryClass } from '../../../dbus/names.js';
import type { Fact, Retention } from '../inventory.js';
import type { ProbeRecord } from './probe-record.js';
import type { ProbeResults, ProbeResult } from './result.js';

/** What earlier starts saw, and what this one adds. */
export class ProbeHistory {
  readonly #before: ProbeRecord;
  readonly #reach = new Map<string, readonly ProbeResult[]>();
  readonly #classes = new Map<string, MemoryClass>();
  readonly #retention = new Map<string, Fact<Retention>>();
  #changed = false;

  constructor(known: ProbeRecord) {
    this.#before = known;
  }

  /** Whether there is anything that was not known before. */
  get changed(): boolean {
    return this.#changed;
  }

  reach(key: string): readonly ProbeResult[] | undefined {
    const results = this.#before.reach.get(key);
    if (results !== undefined) this.#reach.set(key, results);
    return results;
  }

  class(key: string): MemoryClass | undefined {
    const value = this.#before.classes.get(key);
    if (value !== undefined) this.#classes.set(key, value);
    return value;
  }

  retention(key: string): Fact<Retention> | undefined {
    return this.#before.retention.get(key);
  }

  /** What left something open is not kept: the next start tries it again. */
  addReach(key: string, { results, inconclusive }: ProbeResults): void {
    if (inconclusive !== undefined) return;
    this.#reach.set(key, results);
    this.#changed = true;
  }

  addClass(key: string, value: MemoryClass): void {
    this.#classes.set(key, value);
    this.#changed = true;
  }

  addRetention(key: string, value: Fact<Retention>): void {
    this.#changed ||= this.#before.retention.get(key) !== value;
    this.#retention.set(key, value);
  }

  /** Everything, what was of use now before what is of devices that are not there. */
  record(): ProbeRecord {
    return {
      reach: new Map([...this.#reach, ...[...this.#before.reach].filter(([key]) => !this.#reach.has(key))]),
      classes: new Map([
        ...this.#classes,
        ...[...this.#before.classes].filter(([key]) => !this.#classes.has(key)),
      ]),
      retention: new Map([...this.#before.retention, ...this.#retention]),
    };
  }
}
