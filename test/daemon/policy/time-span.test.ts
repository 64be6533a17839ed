import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { timeSpan } from '../../../daemon/policy/time-span.js';

describe('timeSpan', () => {
  it.each([
    ['30s', 30_000],
    ['5min', 300_000],
    ['5 min', 300_000],
    ['1h 30min', 5_400_000],
    ['1h30m', 5_400_000],
    ['90', 90_000],
    ['1.5s', 1500],
    ['250ms', 250],
    ['2 weeks 1 day', 1_296_000_000],
    ['0', 0],
    ['infinity', Infinity],
  ])('%s is %d milliseconds', (text, value) => {
    expect(timeSpan.parse(text)).toEqual({ ok: true, value });
  });

  it.each([
    ['', 0, 'a time span'],
    ['-1s', 0, 'a time span'],
    ['1h soon', 3, 'a time span'],
    ['3 fortnights', 2, 'the units are'],
    ['1s 2S', 4, 'the units are'],
    ['forever', 0, 'a time span'],
    ['999999999999999w', 0, 'too long'],
  ])('refuses "%s" at %i', (text, offset, problem) => {
    expect(timeSpan.parse(text)).toMatchObject({
      ok: false,
      offset,
      problem: expect.stringContaining(problem) as string,
    });
  });

  it('prints what it reads as the same span', () => {
    fc.assert(
      fc.property(fc.oneof(fc.maxSafeNat(), fc.constant(Infinity)), (value) => {
        expect(timeSpan.parse(timeSpan.print(value))).toEqual({ ok: true, value });
      }),
    );
  });
});
