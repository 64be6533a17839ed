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
    ['', 0, 'bad-value'],
    ['-1s', 0, 'bad-value'],
    ['1h soon', 3, 'bad-value'],
    ['3 fortnights', 2, 'unknown-unit'],
    ['1s 2S', 4, 'unknown-unit'],
    ['forever', 0, 'bad-value'],
    ['999999999999999w', 0, 'out-of-range'],
  ])('refuses "%s" at %i', (text, offset, kind) => {
    expect(timeSpan.parse(text)).toMatchObject({ ok: false, offset, kind });
  });

  it('prints what it reads as the same span', () => {
    fc.assert(
      fc.property(fc.oneof(fc.maxSafeNat(), fc.constant(Infinity)), (value) => {
        expect(timeSpan.parse(timeSpan.print(value))).toEqual({ ok: true, value });
      }),
    );
  });
});
