import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { smallestConflict, type Merging } from '../../../daemon/constraints/conflict.js';

/** A clash of numbers: a set holds unless it has all the members of one of the clashes. */
const merging = (clashes: readonly (readonly number[])[]): Merging<number, ReadonlySet<number>> => ({
  empty: new Set(),
  add: (state, item) => new Set(state).add(item),
  holds: (state) => !clashes.some((clash) => clash.every((item) => state.has(item))),
});

function run<T>(steps: Generator<void, T>): { result: T; pauses: number } {
  for (let pauses = 0; ; pauses++) {
    const step = steps.next();
    if (step.done === true) return { result: step.value, pauses };
  }
}

const items = Array.from({ length: 12 }, (_, i) => i);
const clashes = fc.array(fc.uniqueArray(fc.integer({ min: 0, max: 11 }), { minLength: 1, maxLength: 6 }), {
  minLength: 1,
  maxLength: 12,
});

describe('smallestConflict', () => {
  it('finds a clash with the fewest members', () => {
    fc.assert(
      fc.property(clashes, (family) => {
        const { result: found } = run(smallestConflict(items, merging(family)));
        const { items: result } = found;
        expect(found.isSmallest).toBe(true);
        const distinct = family.map((clash) => [...clash].sort((a, b) => a - b).join());
        expect(distinct).toContain(result.join());
        expect(result).toHaveLength(Math.min(...family.map((clash) => clash.length)));
      }),
    );
  });

  it('still gives an irreducible clash when its patience ends', () => {
    fc.assert(
      fc.property(clashes, fc.integer({ min: 0, max: 30 }), (family, patience) => {
        const { items: result } = run(smallestConflict(items, merging(family), { steps: patience })).result;
        const clash = merging(family);
        expect(clash.holds(new Set(result))).toBe(false);
        for (const left of result)
          expect(clash.holds(new Set(result.filter((item) => item !== left)))).toBe(true);
      }),
    );
  });

  it('says so when there is no conflict, instead of searching for ever', () => {
    for (const patience of [0, 1000]) {
      expect(() => run(smallestConflict(items, merging([[12]]), { steps: patience }))).toThrow(RangeError);
    }
  });

  it('pauses on the way, and its work is bounded however hard the clash', () => {
    // Any 12 of 24 clash: the number of smallest clashes is in the millions.
    let asked = 0;
    const hard: Merging<number, number> = {
      empty: 0,
      add: (state) => state + 1,
      holds(state) {
        asked++;
        return state < 12;
      },
    };
    const many = Array.from({ length: 24 }, (_, i) => i);
    const { result, pauses } = run(smallestConflict(many, hard, { steps: 1000 }));
    expect(result.items).toHaveLength(12);
    expect(result.isSmallest).toBe(false);
    expect(pauses).toBeGreaterThan(10);
    expect(asked).toBeLessThan(2000);
  });

  it('takes no more steps than it is allowed, and says that it was cut short', () => {
    let left = 3;
    const allowance = { take: () => left-- > 0 };
    const { result } = run(
      smallestConflict(
        items,
        merging([
          [1, 2, 3],
          [4, 5, 6],
          [7, 8],
        ]),
        { allowance },
      ),
    );
    expect(result).toEqual({ items: [1, 2, 3], isSmallest: false });
    expect(left).toBeLessThan(0);
  });
});
