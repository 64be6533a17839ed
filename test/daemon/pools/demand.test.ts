import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { askedSince, NO_DEMAND, noted, scoreNow, type Demand } from '../../../daemon/pools/demand.js';

const MINUTE = 60_000;
const sizes = (demand: Demand): bigint[] => demand.map(({ size }) => size);
const scoreOf = (demand: Demand, size: bigint, now: number): number => {
  const entry = demand.find((known) => known.size === size);
  if (entry === undefined) throw new Error('not asked');
  return scoreNow(entry, now);
};

describe('demand', () => {
  it('adds what was asked, and counts it half after a minute', () => {
    const once = noted(NO_DEMAND, 8n, 4, 0);
    expect(scoreOf(once, 8n, 0)).toBe(4);
    expect(scoreOf(once, 8n, MINUTE)).toBeCloseTo(2);
    expect(scoreOf(noted(once, 8n, 1, MINUTE), 8n, MINUTE)).toBeCloseTo(3);
    expect(scoreOf(once, 8n, 0)).toBe(4);
  });

  it('has the latest size first, and each once', () => {
    const demand = [1n, 2n, 3n, 1n].reduce((before, size, i) => noted(before, size, 1, i), NO_DEMAND);
    expect(sizes(demand)).toEqual([1n, 3n, 2n]);
  });

  it('forgets what was not asked for long', () => {
    const demand = noted(noted(NO_DEMAND, 1n, 9, 100), 2n, 1, 200);
    expect(sizes(askedSince(demand, 200))).toEqual([2n]);
    expect(sizes(askedSince(demand, 100))).toEqual([2n, 1n]);
  });

  it('remembers so many sizes, and those that are asked most', () => {
    const asks = fc.array(fc.record({ size: fc.bigInt(1n, 200n), count: fc.integer({ min: 1, max: 16 }) }), {
      minLength: 150,
      maxLength: 300,
    });
    fc.assert(
      fc.property(asks, (list) => {
        const favourite = noted(NO_DEMAND, 1000n, 10_000, 0);
        const demand = list.reduce((before, { size, count }, i) => noted(before, size, count, i), favourite);
        expect(demand.length).toBeLessThanOrEqual(64);
        expect(new Set(sizes(demand)).size).toBe(demand.length);
        expect(sizes(demand)).toContain(1000n);
        expect(demand[0]?.size).toBe(list.at(-1)?.size);
      }),
      { numRuns: 30 },
    );
  });
});
