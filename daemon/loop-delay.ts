import { monitorEventLoopDelay, type IntervalHistogram } from 'node:perf_hooks';

import type { Later } from './pools/time.js';

/** Milliseconds between two timers of the histogram, which every value of it contains. */
const RESOLUTION = 1;
/** Milliseconds that are looked at after the work: what it made late may come after its end. */
const AFTER = 20;

/**
 * How late the event loop was at most while memory was made or cleared, as Node.js measures it. That takes a timer every
 * millisecond, so that it is not looked at while there is no such work: an idle machine sleeps.
 */
export class LoopDelay {
  readonly #later: Later;
  readonly #histogram: IntervalHistogram;
  #longest = 0;
  #ending: Disposable | undefined;

  constructor(later: Later, histogram = monitorEventLoopDelay({ resolution: RESOLUTION })) {
    this.#later = later;
    this.#histogram = histogram;
  }

  /** Milliseconds, since the start of the daemon. */
  get longest(): number {
    // An empty histogram has a maximum of 0.
    const now = Math.max(0, this.#histogram.max / 1e6 - RESOLUTION);
    return Math.max(this.#longest, Math.round(now * 100) / 100);
  }

  /** @param isWorking whether any memory is being made or cleared from now on */
  follow(isWorking: boolean): void {
    this.#ending?.[Symbol.dispose]();
    this.#ending = undefined;
    if (isWorking) this.#histogram.enable();
    else
      this.#ending = this.#later(AFTER, () => {
        this.#end();
      });
  }

  #end(): void {
    this.#ending = undefined;
    this.#histogram.disable();
    this.#longest = this.longest;
    // It would count the time until it is enabled again as a delay.
    this.#histogram.reset();
  }
}
