import { describe, expect, it } from 'vitest';

import { Idle, type Expiring } from '../../../daemon/pools/idle.js';
import { ManualTimers } from '../manual-timers.js';

class Thing implements Expiring {
  readonly expired: number[] = [];
  readonly #clock: () => number;
  expiry = Infinity;

  constructor(clock: () => number) {
    this.#clock = clock;
  }

  expire(): void {
    if (this.expiry > this.#clock()) return;
    this.expired.push(this.#clock());
    this.expiry = Infinity;
  }
}

function rig(): { idle: Idle; timers: ManualTimers; a: Thing; b: Thing } {
  const timers = new ManualTimers();
  const [a, b] = [new Thing(timers.clock), new Thing(timers.clock)];
  return { idle: new Idle(timers.later, timers.clock, () => [a, b]), timers, a, b };
}

const arm = (idle: Idle, thing: Thing, expiry: number): void => {
  thing.expiry = expiry;
  idle.arm(expiry);
};

describe('Idle', () => {
  it('ends things in time, and sets no timer when there are none', () => {
    const { idle, timers, a, b } = rig();
    arm(idle, a, 60_000);
    arm(idle, b, 20_000);
    arm(idle, a, 50_000);
    expect(timers.pending).toBe(1);
    timers.pass(60_000);
    expect([a.expired, b.expired]).toEqual([[50_000], [20_000]]);
    expect(timers.pending).toBe(0);
  });

  it('wakes nobody more often than every ten seconds', () => {
    const { idle, timers, a, b } = rig();
    timers.pass(1000);
    arm(idle, a, 1001);
    arm(idle, b, 11_001);
    timers.pass(30_000);
    expect([a.expired, b.expired]).toEqual([[11_000], [21_000]]);
  });

  it('waits on when what it waited for is asked again', () => {
    const { idle, timers, a } = rig();
    arm(idle, a, 20_000);
    a.expiry = 45_000;
    timers.pass(60_000);
    expect(a.expired).toEqual([45_000]);
  });

  it('forgets its timer when there is nothing to end any more', () => {
    const { idle, timers, a } = rig();
    arm(idle, a, 60_000);
    idle.rest();
    expect(timers.pending).toBe(0);
  });

  it('leaves alone what never ends, and everything once it is closed', () => {
    const { idle, timers, a } = rig();
    arm(idle, a, Infinity);
    expect(timers.pending).toBe(0);
    arm(idle, a, 60_000);
    idle.close();
    arm(idle, a, 60_000);
    expect(timers.pending).toBe(0);
  });
});
