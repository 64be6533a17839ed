import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { stockTarget } from '../../../daemon/pools/stock-target.js';
import type { Demand } from '../../../daemon/pools/demand.js';

const asked = (...sizes: [size: bigint, score: number][]): Demand =>
  sizes.map(([size, score]) => ({ size, score, asked: 0 }));
const decided = (demand: Demand, budget: bigint, now = 0): [bigint, number][] => [
  ...stockTarget(demand, budget, now),
];

describe('assortment', () => {
  it('is as many of each size as were asked lately, where there is room', () => {
    expect(decided(asked([10n, 3], [20n, 1]), 1000n)).toEqual([
      [10n, 3],
      [20n, 1],
    ]);
  });

  it('is one of each size at least, however long ago it was asked, and no more than one call gives', () => {
    expect(decided(asked([10n, 3], [20n, 500]), 100_000n, 600_000)).toEqual([
      [20n, 1],
      [10n, 1],
    ]);
    expect(decided(asked([20n, 500]), 100_000n)).toEqual([[20n, 16]]);
  });

  it('puts first what is likelier to be asked next, where room is short', () => {
    expect(decided(asked([10n, 4], [11n, 1]), 21n)).toEqual([[10n, 2]]);
    expect(decided(asked([10n, 2], [11n, 1.5]), 21n)).toEqual([
      [10n, 1],
      [11n, 1],
    ]);
  });

  it('fills what a large size leaves with smaller ones', () => {
    expect(decided(asked([100n, 9], [10n, 1]), 150n)).toEqual([
      [100n, 1],
      [10n, 1],
    ]);
  });

  it('never passes the budget, and leaves no room in which more of what was asked would fit', () => {
    const entry = fc.record({
      size: fc.bigInt(1n, 50n),
      score: fc.double({ min: 0.01, max: 40, noNaN: true }),
      asked: fc.nat(100_000),
    });
    const demands = fc.uniqueArray(entry, { selector: ({ size }) => size, maxLength: 20 });
    fc.assert(
      fc.property(demands, fc.bigInt(0n, 2000n), (demand, budget) => {
        const ready = stockTarget(demand, budget, 100_000);
        const used = [...ready].reduce((sum, [size, count]) => sum + size * BigInt(count), 0n);
        expect(used <= budget).toBe(true);
        for (const { size } of demand) if (!ready.has(size)) expect(used + size > budget).toBe(true);
      }),
    );
  });
});
