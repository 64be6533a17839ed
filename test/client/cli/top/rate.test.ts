import { describe, expect, it } from 'vitest';

import { Rate, WINDOW_MS } from '../../../../client/cli/top/tally.js';

describe('Rate', () => {
  it('is nothing where nothing happened', () => {
    expect(new Rate().perSecond(5000)).toBe(0);
  });

  it('is what happened in the last ten seconds, a second', () => {
    const rate = new Rate();
    rate.count(30, 100_000);
    rate.count(20, 100_010);
    rate.count(50, 104_000);
    expect(rate.perSecond(105_000)).toBe(10);
    expect(rate.perSecond(100_000 + WINDOW_MS)).toBe(5);
    expect(rate.perSecond(104_000 + WINDOW_MS)).toBe(0);
  });

  it('is of the time since the counting began where that is shorter, and of no less than a second', () => {
    const rate = new Rate();
    rate.count(8, 100_050);
    expect(rate.perSecond(100_100, 100_000)).toBe(8);
    expect(rate.perSecond(104_000, 100_000)).toBe(2);
    expect(rate.perSecond(109_000, 0)).toBe(0.8);
  });

  it('keeps what comes in another order, and nothing that is less than none', () => {
    const rate = new Rate();
    rate.count(1, 104_000);
    rate.count(1, 101_000);
    rate.count(-5, 104_000);
    expect(rate.perSecond(105_000)).toBe(0.2);
  });
});
