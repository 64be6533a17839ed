import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setImmediate as turn } from 'node:timers/promises';

import { describe, expect, it } from 'vitest';

import { LoopDelay } from '../../../daemon/service/loop-delay.js';
import { ManualTimers } from '../manual-timers.js';

/** Node's own histogram, with what was done to it. */
function watched() {
  const histogram = monitorEventLoopDelay({ resolution: 1 });
  const calls: string[] = [];
  for (const name of ['enable', 'disable', 'reset'] as const) {
    const real = histogram[name].bind(histogram) as () => never;
    histogram[name] = () => {
      calls.push(name);
      return real();
    };
  }
  return { histogram, calls };
}

/** Milliseconds that the loop stands still at a time. */
const STILL = 5;

/** Lets the loop stand still until that was seen: at first no timer has gone off that the next could be late after. */
async function stand(delay: LoopDelay): Promise<void> {
  while (delay.longest < STILL / 2) {
    const end = performance.now() + STILL;
    while (performance.now() < end);
    await turn();
  }
}

describe("the event loop's longest delay", () => {
  it('is nothing, and nobody looks, before there is work', () => {
    const { histogram, calls } = watched();
    const timers = new ManualTimers();
    expect(new LoopDelay(timers.later, histogram).longest).toBe(0);
    expect(calls).toEqual([]);
    expect(timers.pending).toBe(0);
  });

  it('is seen while there is work, and known afterwards', async () => {
    const timers = new ManualTimers();
    const delay = new LoopDelay(timers.later);
    delay.follow(true);
    await stand(delay);
    delay.follow(false);
    timers.pass(1000);
    const { longest } = delay;
    expect(longest).toBeGreaterThanOrEqual(STILL / 2);
    delay.follow(true);
    expect(delay.longest).toBe(longest);
  });

  it('is looked at a little longer than the work, and then not any more', () => {
    const { histogram, calls } = watched();
    const timers = new ManualTimers();
    const delay = new LoopDelay(timers.later, histogram);
    delay.follow(true);
    delay.follow(false);
    expect(calls).toEqual(['enable']);
    timers.pass(1000);
    expect(calls).toEqual(['enable', 'disable', 'reset']);
    expect(timers.pending).toBe(0);
  });

  it('is looked at on and on when work begins again at once', () => {
    const { histogram, calls } = watched();
    const timers = new ManualTimers();
    const delay = new LoopDelay(timers.later, histogram);
    delay.follow(true);
    delay.follow(false);
    delay.follow(true);
    timers.pass(1000);
    expect(calls).not.toContain('disable');
    delay.follow(false);
    timers.pass(1000);
    expect(calls.at(-2)).toBe('disable');
  });
});
