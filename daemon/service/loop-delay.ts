import { monitorEventLoopDelay, type IntervalHistogram } from 'node:perf_hooks';
import { setPriority } from 'node:os';

import type { Later } from '../base/time.js';
import type { Log } from '../base/log.js';

/** Milliseconds between two timers of the histogram, which every value of it contains. */
const RESOLUTION_MS = 1;
/** Milliseconds that are looked at after the work: what it made late may come after its end. */
const TAIL_MS = 20;

/**
 * How late the event loop was at most while memory was made or cleared, as Node.js measures it. That takes a timer every
 * millisecond, so that it is not looked at while there is no such work: an idle machine sleeps.
 */
export class LoopDelay {
  readonly #later: Later;
  readonly #histogram: IntervalHistogram;
  #longest = 0;
  #ending: Disposable | undefined;

  constructor(later: Later, histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS })) {
    this.#later = later;
    this.#histogram = histogram;
  }

  /** Milliseconds, since the start of the daemon. */
  get longest(): number {
    // An empty histogram has a maximum of 0.
    const now = Math.max(0, this.#histogram.max / 1e6 - RESOLUTION_MS);
    return Math.max(this.#longest, Math.round(now * 100) / 100);
  }

  /** @param isWorking whether any memory is being made or cleared from now on */
  follow(isWorking: boolean): void {
    this.#ending?.[Symbol.dispose]();
    this.#ending = undefined;
    if (isWorking) this.#histogram.enable();
    else
      this.#ending = this.#later(TAIL_MS, () => {
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

/** A nice value (sched(7)). With -5 the loop's delay at p99 is nearly what it is without, and -19 makes it no shorter. */
const NICE_VALUE = -10;

/**
 * Lets the event loop's thread go before the threads that make and clear memory for it. They need as long as that takes and
 * hold every processor where there are few; the loop needs a moment, and every caller waits for it. On Linux
 * the value is a thread's own, and one that is made later has its maker's: call this from the loop, once its pool is there.
 * @param set of node:os; throws where the process may not (RLIMIT_NICE), and the loop then goes on as it is
 */
export function hurryLoop(log: Pick<Log, 'debug'>, set: (priority: number) => void = setPriority): void {
  try {
    set(NICE_VALUE);
  } catch (err) {
    log.debug({ err }, 'the event loop cannot get priority over the threads that clear memory');
  }
}
