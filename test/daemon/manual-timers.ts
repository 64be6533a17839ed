import type { Later } from '../../daemon/base/time.js';

interface Timer {
  readonly at: number;
  readonly run: () => void;
}

/** Timers whose time passes when a test says so. */
export class ManualTimers {
  readonly #timers = new Set<Timer>();
  #now = 0;

  readonly later: Later = (milliseconds, run) => {
    const timer = { at: this.#now + milliseconds, run };
    this.#timers.add(timer);
    return { [Symbol.dispose]: () => void this.#timers.delete(timer) };
  };

  /** Milliseconds that passed. */
  readonly clock = (): number => this.#now;

  get pending(): number {
    return this.#timers.size;
  }

  /** Lets so many milliseconds pass, and everything happen in them in its order. */
  pass(milliseconds: number): void {
    const end = this.#now + milliseconds;
    for (;;) {
      const next = [...this.#timers].filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#now = next.at;
      next.run();
    }
    this.#now = end;
  }
}
