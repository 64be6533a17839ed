import { setPriority } from 'node:os';

import type { Log } from './messages/log.js';

/** A nice value (sched(7)). With -5 the loop's delay at p99 is nearly what it is without, and -19 makes it no shorter. */
const AHEAD = -10;

/**
 * Lets the event loop's thread go before the threads that make and clear memory for it. They need as long as that takes and
 * hold every processor where there are few; the loop needs a moment, and whoever asks for something waits for it. On Linux
 * the value is a thread's own, and one that is made later has its maker's: call this from the loop, once its pool is there.
 * @param set of node:os; throws where the process may not (RLIMIT_NICE), and the loop then goes on as it is
 */
export function hurryLoop(log: Pick<Log, 'debug'>, set: (priority: number) => void = setPriority): void {
  try {
    set(AHEAD);
  } catch (err) {
    log.debug({ err }, 'the event loop may not go before the threads that clear memory');
  }
}
