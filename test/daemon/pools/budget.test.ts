import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { Budget } from '../../../daemon/pools/budget.js';

const sharing = (...limits: bigint[]): Budget[] => {
  const set = new Set<Budget>();
  return limits.map((limit) => {
    const budget = new Budget(set);
    budget.allowance = { limit, warm: 0n };
    return budget;
  });
};

/** The same, with a warm budget each, and spare bytes that give way as they should. */
const warm = (...allowances: [limit: bigint, warm: bigint][]): [Budget, Budget] => {
  const budgets = sharing(...allowances.map(([limit]) => limit));
  allowances.forEach(([limit, most], i) => {
    const budget = budgets[i];
    if (budget === undefined) return;
    budget.allowance = { limit, warm: most };
    budget.onEvict((bytes) => {
      budget.giveBackSpare(bytes < budget.spare ? bytes : budget.spare);
    });
  });
  const [a, b = a] = budgets;
  if (a === undefined || b === undefined) throw new Error('a budget');
  return [a, b];
};

describe('Budget', () => {
  it('gives what its limit allows, all or nothing', () => {
    const [budget] = sharing(100n);
    expect(budget?.reserve(60n)).toBe(true);
    expect(budget?.reserve(41n)).toBe(false);
    expect(budget?.live).toBe(60n);
    expect(budget?.reserve(40n)).toBe(true);
    expect(budget?.available).toBe(0n);
  });

  it('lets pools on the same memory hold no more together than the largest of their limits', () => {
    const [a, b] = sharing(100n, 70n);
    expect(a?.reserve(80n)).toBe(true);
    expect(b?.available).toBe(20n);
    expect(b?.reserve(30n)).toBe(false);
    a?.giveBack(80n);
    expect(b?.available).toBe(70n);
  });

  it('leaves the others their room when one of them is limited', () => {
    const [a, b] = sharing(100n, 100n);
    if (a !== undefined) a.allowance = { limit: 0n, warm: 0n };
    expect(a?.available).toBe(0n);
    expect(b?.reserve(100n)).toBe(true);
  });

  it('gives no more than the heap has, whatever the limit', () => {
    const budget = new Budget(new Set(), 50n);
    budget.allowance = { limit: 100n, warm: 0n };
    expect(budget.reserve(51n)).toBe(false);
    expect(budget.limit).toBe(100n);
  });

  it('has no room, and not less than none, when its limit falls below what is out', () => {
    const [budget] = sharing(100n);
    budget?.reserve(100n);
    if (budget !== undefined) budget.allowance = { limit: 10n, warm: 0n };
    expect(budget?.available).toBe(0n);
  });

  it('corrects a reservation in both directions, and not beyond the limit', () => {
    const [budget] = sharing(100n);
    budget?.reserve(50n);
    expect(budget?.adjust(50n, 60n)).toBe(true);
    expect(budget?.live).toBe(60n);
    expect(budget?.adjust(60n, 101n)).toBe(false);
    expect(budget?.live).toBe(60n);
    expect(budget?.adjust(60n, 5n)).toBe(true);
    expect(budget?.live).toBe(5n);
  });

  it('keeps what is spare within the limit and the warm budget', () => {
    const [budget] = warm([100n, 30n]);
    expect([budget.reserveSpare(31n), budget.reserveSpare(30n), budget.reserveSpare(1n)]).toEqual([
      false,
      true,
      false,
    ]);
    expect([budget.spare, budget.live, budget.available, budget.spareAllowed]).toEqual([30n, 0n, 100n, 30n]);
    expect(budget.reserve(70n)).toBe(true);
    budget.giveBackSpare(30n);
    expect(budget.reserve(20n)).toBe(true);
    expect([budget.spareAllowed, budget.reserveSpare(11n), budget.reserveSpare(10n)]).toEqual([
      10n,
      false,
      true,
    ]);
  });

  it('corrects what was reserved as spare', () => {
    const [budget] = warm([100n, 30n]);
    budget.reserveSpare(10n);
    expect([budget.adjustSpare(10n, 31n), budget.spare]).toEqual([false, 10n]);
    expect([budget.adjustSpare(10n, 30n), budget.spare]).toEqual([true, 30n]);
    expect([budget.adjustSpare(30n, 5n), budget.spare]).toEqual([true, 5n]);
  });

  it('has what is spare give way, here first and then in the set', () => {
    const [a, b] = warm([100n, 60n], [100n, 60n]);
    a.reserveSpare(30n);
    b.reserveSpare(30n);
    expect(a.reserve(50n)).toBe(true);
    expect([a.spare, b.spare]).toEqual([20n, 30n]);
    expect(a.reserve(45n)).toBe(true);
    expect([a.spare, b.spare]).toEqual([0n, 5n]);
    expect(a.reserve(6n)).toBe(false);
    expect([a.spare, b.spare]).toEqual([0n, 5n]);
  });

  it('takes nothing when what is spare cannot give way', () => {
    const [budget] = sharing(100n);
    if (budget === undefined) throw new Error('a budget');
    budget.allowance = { limit: 100n, warm: 60n };
    budget.reserveSpare(60n);
    expect(budget.reserve(50n)).toBe(false);
    expect([budget.live, budget.spare]).toEqual([0n, 60n]);
  });

  it('shares the warm budget as it shares the limit', () => {
    const [a, b] = warm([100n, 40n], [100n, 20n]);
    expect(b.reserveSpare(20n)).toBe(true);
    expect([a.reserveSpare(21n), a.reserveSpare(20n)]).toEqual([false, true]);
  });

  it('saves what was out only where there is room for it, and spends it again', () => {
    const [budget] = warm([100n, 30n]);
    budget.reserve(80n);
    expect([budget.save(31n), budget.live, budget.spare]).toEqual([false, 80n, 0n]);
    expect([budget.save(30n), budget.live, budget.spare]).toEqual([true, 50n, 30n]);
    budget.spend(10n);
    expect([budget.live, budget.spare]).toEqual([60n, 20n]);
    budget.allowance = { limit: 50n, warm: 30n };
    expect([budget.over, budget.save(1n)]).toEqual([true, false]);
  });

  it.each([
    ['the limit', { limit: 40n, warm: 60n }, [20n, 20n]],
    ['the warm budget', { limit: 100n, warm: 7n }, [20n, 7n]],
    ['both', { limit: 0n, warm: 0n }, [20n, 0n]],
  ])('is trimmed when %s falls', (_what, allowance, left) => {
    const [budget] = warm([100n, 60n]);
    budget.reserveSpare(50n);
    budget.reserve(20n);
    budget.allowance = allowance;
    budget.trim();
    expect([budget.live, budget.spare]).toEqual(left);
    expect(budget.over).toBe(allowance.limit < 20n);
  });

  it('never passes a limit, whatever is taken and given back', () => {
    const step = fc.record({ who: fc.nat(1), bytes: fc.bigInt(0n, 120n), back: fc.boolean() });
    fc.assert(
      fc.property(fc.bigInt(0n, 100n), fc.bigInt(0n, 100n), fc.array(step), (limitA, limitB, steps) => {
        const budgets = sharing(limitA, limitB);
        const taken: bigint[][] = [[], []];
        for (const { who, bytes, back } of steps) {
          const budget = budgets[who];
          const mine = taken[who];
          if (budget === undefined || mine === undefined) throw new Error('no such budget');
          if (back) budget.giveBack(mine.pop() ?? 0n);
          else if (budget.reserve(bytes)) mine.push(bytes);
        }
        const sums = taken.map((list) => list.reduce((sum, bytes) => sum + bytes, 0n));
        const [a = 0n, b = 0n] = sums;
        expect(budgets.map(({ live }) => live)).toEqual(sums);
        expect(a <= limitA && b <= limitB && a + b <= (limitA > limitB ? limitA : limitB)).toBe(true);
      }),
    );
  });
});
