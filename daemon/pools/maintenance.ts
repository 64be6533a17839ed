import type { Later } from '../base/time.js';

/** Has something to do beside the requests. What it does never rejects. */
export interface MaintenanceTask {
  /** Begins to clear a buffer that came back; undefined when there is none. */
  clean(): Promise<void> | undefined;
  /** Begins to make a buffer that should lie ready; undefined when none lacks. */
  refill(): Promise<void> | undefined;
}

/** Milliseconds from a request until what it took is made anew: what comes back meanwhile takes its place. */
const REFILL_DELAY_MS = 50;

/** Does what there is to do for all pools together, one thing at a time. */
export class Maintenance {
  readonly #later: Later;
  /** Who was served longest ago comes first. */
  readonly #tasks = new Set<MaintenanceTask>();
  #underWay: Promise<void> | undefined;
  /** Requests that wait until nothing is under way. */
  #waiting = 0;
  #timer: Disposable | undefined;
  #mayRefill = false;
  #closed = false;

  constructor(later: Later) {
    this.#later = later;
  }

  add(task: MaintenanceTask): void {
    this.#tasks.add(task);
  }

  remove(task: MaintenanceTask): void {
    this.#tasks.delete(task);
  }

  /** There may be something to do. */
  wake(): void {
    if (this.#closed) return;
    if (!this.#mayRefill)
      this.#timer ??= this.#later(REFILL_DELAY_MS, () => {
        this.#timer = undefined;
        this.#mayRefill = true;
        this.#next();
      });
    this.#next();
  }

  /** Runs something when nothing is under way, and before anything else begins. */
  async between<T>(run: () => T): Promise<T> {
    this.#waiting += 1;
    try {
      await this.#underWay;
      return run();
    } finally {
      this.#waiting -= 1;
      this.#next();
    }
  }

  /** Begins nothing more. */
  close(): void {
    this.#closed = true;
    this.#timer?.[Symbol.dispose]();
  }

  #next(): void {
    if (this.#closed || this.#underWay !== undefined || this.#waiting > 0) return;
    const job = this.#begin((task) => task.clean()) ?? this.#refill();
    this.#underWay = job?.then(() => {
      this.#underWay = undefined;
      this.#next();
    });
  }

  #refill(): Promise<void> | undefined {
    if (!this.#mayRefill) return undefined;
    const job = this.#begin((task) => task.refill());
    this.#mayRefill = job !== undefined;
    return job;
  }

  #begin(begin: (task: MaintenanceTask) => Promise<void> | undefined): Promise<void> | undefined {
    for (const task of this.#tasks) {
      const job = begin(task);
      if (job === undefined) continue;
      this.#tasks.delete(task);
      this.#tasks.add(task);
      return job;
    }
    return undefined;
  }
}
