import { describe, expect, it } from 'vitest';

import { Progress } from '../../../dbus/accounts/progress.js';
import { feedWatchdog, type WatchdogEnvironment } from '../../../daemon/service/reports.js';
import { ManualTimers } from '../manual-timers.js';

const PID = 17;

/** When it was fed, in milliseconds since the start. */
function watch(environment: WatchdogEnvironment, progress = new Progress()) {
  const timers = new ManualTimers();
  const fed: number[] = [];
  const feeding = feedWatchdog(environment, {
    pid: PID,
    later: timers.later,
    progress,
    feed: () => fed.push(timers.clock()),
  });
  return { timers, fed, feeding };
}

describe('the watchdog', () => {
  it('is fed at once, and then twice in each of its times', () => {
    const { timers, fed } = watch({ WATCHDOG_USEC: '30000000', WATCHDOG_PID: String(PID) });
    timers.pass(45_000);
    expect(fed).toEqual([0, 15_000, 30_000, 45_000]);
  });

  it('is fed by whatever process it wakes, where it does not say which it means', () => {
    expect(watch({ WATCHDOG_USEC: '2000000' }).fed).toEqual([0]);
  });

  it.each<[string, WatchdogEnvironment]>([
    ['there is none', {}],
    ['it means another process', { WATCHDOG_USEC: '30000000', WATCHDOG_PID: '18' }],
    ['its time is no time', { WATCHDOG_USEC: 'soon' }],
    ['its time is nothing', { WATCHDOG_USEC: '0' }],
  ])('is not fed, and wakes nobody, when %s', (_when, environment) => {
    const { timers, fed, feeding } = watch(environment);
    expect(feeding).toBeUndefined();
    expect(fed).toEqual([]);
    expect(timers.pending).toBe(0);
  });

  it('is not fed while requests wait and none is completed', () => {
    const progress = new Progress();
    let isWaiting = false;
    progress.follow(() => isWaiting);
    const { timers, fed } = watch({ WATCHDOG_USEC: '2000000' }, progress);
    isWaiting = true;
    timers.pass(2000);
    progress.completed();
    timers.pass(2000);
    isWaiting = false;
    timers.pass(1000);
    expect(fed).toEqual([0, 3000, 5000]);
  });

  it('is not fed any more when that was ended', () => {
    const { timers, fed, feeding } = watch({ WATCHDOG_USEC: '1000000' });
    timers.pass(500);
    feeding?.[Symbol.dispose]();
    timers.pass(10_000);
    expect(fed).toEqual([0, 500]);
    expect(timers.pending).toBe(0);
  });
});
