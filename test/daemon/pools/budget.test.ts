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

describe('Budget', () => {
  it('gives what its limit allows, all or nothing', () => {
    const [budget] = sharing(100n);
    expect(budget?.reserve(60n)).toBe(true);
    expect(budget?.reserve(41n)).toBe(false);
    expect(budget?.live).toBe(60n);
    expect(budget?.reserve(40n)).toBe(true);
    expect(budget?.room).toBe(0n);
  });

  it('lets pools on the same memory hold no more together than the largest of their limits', () => {
    const [a, b] = sharing(100n, 70n);
    expect(a?.reserve(80n)).toBe(true);
    expect(b?.room).toBe(20n);
    expect(b?.reserve(30n)).toBe(false);
    a?.giveBack(80n);
    expect(b?.room).toBe(70n);
  });

  it('leaves the others their room when one of them is limited', () => {
    const [a, b] = sharing(100n, 100n);
    if (a !== undefined) a.allowance = { limit: 0n, warm: 0n };
    expect(a?.room).toBe(0n);
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
    expect(budget?.room).toBe(0n);
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
