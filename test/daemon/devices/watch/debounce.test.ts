import { describe, expect, it } from 'vitest';

import { ANYTHING, DEVICES, type Change } from '../../../../daemon/devices/watch/change.js';
import { Debounce } from '../../../../daemon/devices/watch/debounce.js';
import { ManualTimers } from '../../manual-timers.js';

const rig = () => {
  const timers = new ManualTimers();
  const told: Change[] = [];
  return { timers, told, gather: new Debounce(timers.later, (change) => void told.push(change)) };
};

describe('Gather', () => {
  it('tells of one change within 20 ms', () => {
    const { timers, told, gather } = rig();
    gather.add(DEVICES);
    timers.pass(20);
    expect(told).toEqual([DEVICES]);
    timers.pass(1000);
    expect(told).toHaveLength(1);
  });

  it('makes one of a burst, and lets a stream of them wait no longer', () => {
    const { timers, told, gather } = rig();
    for (let i = 0; i < 100; i++) {
      gather.add({ displays: new Set([`/dev/dri/card${i % 3}`]) });
      timers.pass(1);
    }
    expect(told.length).toBeGreaterThanOrEqual(5);
    expect(told.length).toBeLessThanOrEqual(20);
    expect(told[0]).toEqual({ displays: new Set(['/dev/dri/card0', '/dev/dri/card1', '/dev/dri/card2']) });
  });

  it('forgets nothing that comes while it tells', () => {
    const timers = new ManualTimers();
    const told: Change[] = [];
    const gather = new Debounce(timers.later, (change) => {
      told.push(change);
      if (told.length === 1) gather.add(ANYTHING);
    });
    gather.add(DEVICES);
    timers.pass(100);
    expect(told).toEqual([DEVICES, ANYTHING]);
  });

  it('tells nothing once it is disposed', () => {
    const { timers, told, gather } = rig();
    gather.add(DEVICES);
    gather[Symbol.dispose]();
    timers.pass(100);
    expect([told, timers.pending]).toEqual([[], 0]);
  });
});
