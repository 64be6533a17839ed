import { describe, expect, it } from 'vitest';

import {
  hasPlenty,
  isOver,
  isShort,
  NO_PRESSURE,
  pressed,
  stillWait,
} from '../../../daemon/pools/pressure-state.js';

const MIB = 1n << 20n;
const GIB = 1n << 30n;

describe('pressure', () => {
  it('takes half, then all, and begins anew after a calm', () => {
    expect(isOver(NO_PRESSURE, 0)).toBe(true);
    const first = pressed(NO_PRESSURE, 1000);
    const second = pressed(first.pressure, 1300);
    const third = pressed(second.pressure, 11_000);
    expect([first.share, second.share, third.share]).toEqual(['half', 'all', 'all']);
    expect(isOver(third.pressure, 20_999)).toBe(false);
    expect(isOver(third.pressure, 21_000)).toBe(true);
    expect(pressed(third.pressure, 21_000).share).toBe('half');
  });

  it.each([
    [64n * MIB, 4n * MIB],
    [1n * GIB, 64n * MIB],
    [8n * GIB, 512n * MIB],
    [512n * GIB, 512n * MIB],
  ])('of %i bytes of RAM is short below %i, and has plenty from twice as much', (total, least) => {
    expect(isShort({ total, available: least - 1n })).toBe(true);
    expect(isShort({ total, available: least })).toBe(false);
    expect(hasPlenty({ total, available: 2n * least }, 0n)).toBe(true);
    expect(hasPlenty({ total, available: 2n * least }, 1n)).toBe(false);
    expect(hasPlenty({ total, available: 3n * least }, least)).toBe(true);
  });

  it('is still there while tasks wait a tenth of the time', () => {
    expect(stillWait(30_000, 300)).toBe(true);
    expect(stillWait(29_999, 300)).toBe(false);
    expect(stillWait(0, 300)).toBe(false);
  });
});
