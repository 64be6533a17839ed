import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HORIZON, hugeProblem, smallProblem } from './generators.js';
import { judgeOf, smallestConflicts, solve } from './reference.js';
import { commonMultiples, everyNumber } from './search.js';

const byCounting = everyNumber(HORIZON);

describe('the reference', () => {
  it('finds the same by counting as by common multiples', () => {
    fc.assert(
      fc.property(smallProblem, (problem) => {
        expect(solve(problem, commonMultiples)).toEqual(solve(problem, byCounting));
      }),
      { numRuns: 500 },
    );
  });

  it('finds conflicts that do not hold, but hold without any one of their constraints', () => {
    fc.assert(
      fc.property(smallProblem, (problem) => {
        fc.pre(solve(problem, byCounting) === undefined);
        const holds = judgeOf(problem, byCounting);
        const conflicts = smallestConflicts(problem, byCounting);
        expect(conflicts.length).toBeGreaterThan(0);
        for (const conflict of conflicts) {
          expect(holds(conflict)).toBe(false);
          expect(conflict.every((left) => holds(conflict.filter((c) => c !== left)))).toBe(true);
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe('the generators', () => {
  const sample = (arbitrary: typeof smallProblem) => fc.sample(arbitrary, { seed: 20_260_101, numRuns: 900 });

  it.each([
    ['small', smallProblem],
    ['huge', hugeProblem],
  ])('make %s problems of which about half have an answer', (_name, arbitrary) => {
    const problems = sample(arbitrary);
    const answered = problems.filter((problem) => solve(problem, commonMultiples) !== undefined);
    expect(answered.length / problems.length).toBeGreaterThan(0.35);
    expect(answered.length / problems.length).toBeLessThan(0.65);
  });

  it('make conflicts of one to four constraints, of every kind that can stand in one', () => {
    const conflicts = [...sample(smallProblem), ...sample(hugeProblem)]
      .filter((problem) => solve(problem, commonMultiples) === undefined)
      .map((problem) => smallestConflicts(problem, commonMultiples));
    expect(conflicts.map(([first]) => first?.length)).toEqual(expect.arrayContaining([1, 2, 3, 4]));
    const kinds = new Set(
      conflicts.flat(2).map((c) => (c.memory === undefined ? c.kind : `a memory's ${c.kind}`)),
    );
    expect([...kinds].sort()).toEqual([
      "a memory's address-bits",
      "a memory's contiguous",
      "a memory's modifiers",
      "a memory's protected",
      'address-bits',
      'contiguous',
      'count',
      'formats',
      'height',
      'height-multiple',
      'max-height',
      'max-width',
      'min-buffers',
      'modifiers',
      'offset-multiple',
      'pitch-exact',
      'pitch-linked',
      'pitch-max',
      'pitch-min',
      'pitch-multiple',
      'planes-apart',
      'planes-contiguous',
      'protected',
      'reach',
      'size-extra',
      'size-min',
      'size-multiple',
      'total',
      'width',
      'width-multiple',
    ]);
  });
});
