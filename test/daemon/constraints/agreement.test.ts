import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decide } from '../../../daemon/constraints/decide.js';
import type { Constraint, Decision, Problem } from '../../../daemon/constraints/constraint-types.js';
import { runs } from '../../harness/runs.js';
import { faults, identity, missingReasons } from './reference/checker.js';
import { HORIZON, hugeProblem, smallProblem, tiledProblem } from './reference/generators.js';
import { smallestConflicts, solve, type Solution } from './reference/reference.js';
import { commonMultiples, everyNumber, type Search } from './reference/search.js';

const byCounting = everyNumber(HORIZON);

type Answer = Extract<Decision, { feasible: true }>;

function expectSameAnswer(problem: Problem, answer: Answer, expected: Solution): void {
  const { image, size, fdSizes } = answer.layout;
  const planes = (image?.planes ?? []).map(({ offset, pitch }) => ({ offset, pitch: BigInt(pitch) }));
  expect({ planes, size, ...(fdSizes && { fdSizes }) }).toEqual(expected.geometry);
  expect(image?.modifier).toBe(expected.modifier);
  const serving = problem.memories.filter(
    ({ handle, modifiers }) =>
      expected.handles.includes(handle) && (image === undefined || modifiers.includes(image.modifier)),
  );
  expect(new Set(answer.memories)).toEqual(new Set(serving));
}

const asText = (conflict: readonly Constraint[]): string => conflict.map(identity).sort().join('\n');

function agree(search: Search): (problem: Problem) => void {
  return (problem) => {
    const decision = decide(problem);
    const expected = solve(problem, search);
    expect(missingReasons(problem, decision)).toEqual([]);
    if (decision.feasible) {
      expect(faults(problem, decision)).toEqual([]);
      expect(expected).toBeDefined();
      if (expected !== undefined) {
        expectSameAnswer(problem, decision, expected);
      }
    } else {
      expect(expected).toBeUndefined();
      expect(smallestConflicts(problem, search).map(asText)).toContain(asText(decision.conflict));
    }
  };
}

describe('decide, beside a reference that was written apart from it', () => {
  it('finds the layout, the memories or a smallest conflict that trying every number finds', () => {
    fc.assert(fc.property(smallProblem, agree(byCounting)), runs(1_000));
  });

  it('does so where there is a choice of tiles', () => {
    fc.assert(fc.property(tiledProblem, agree(byCounting)), runs(1_000));
  });

  it('does so at the ends of 32 and 64 bits, and never throws', () => {
    fc.assert(fc.property(hugeProblem, agree(commonMultiples)), runs(1_500));
  });
});
