import type { Later } from './pools/time.js';

/** What systemd says of its watchdog (sd_watchdog_enabled(3)): microseconds, and the process that they are meant for. */
export type WatchdogEnvironment = Readonly<Partial<Record<'WATCHDOG_USEC' | 'WATCHDOG_PID', string>>>;

/**
 * Says twice in each of the watchdog's times that the event loop runs, by a timer of that loop: one that stands still
 * says nothing.
 * @param pid of this process
 * @returns undefined where nobody waits for it
 */
export function feedWatchdog(
  environment: WatchdogEnvironment,
  { pid, later, feed }: { readonly pid: number; readonly later: Later; readonly feed: () => void },
): Disposable | undefined {
  const { WATCHDOG_USEC: time, WATCHDOG_PID: of = String(pid) } = environment;
  const microseconds = Number(time);
  if (of !== String(pid) || !Number.isSafeInteger(microseconds) || microseconds <= 0) return undefined;
  let timer: Disposable;
  const next = (): void => {
    feed();
    timer = later(microseconds / 2000, next);
  };
  next();
  return {
    [Symbol.dispose]: () => {
      timer[Symbol.dispose]();
    },
  };
}
