import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decide } from '../../../daemon/constraints/decide.js';
import type { Constraint, Decision, Problem } from '../../../daemon/constraints/constraint-types.js';
import { runs } from '../../harness/runs.js';
import { faults } from './reference/checker.js';
import { hugeProblem, smallConstraint, smallProblem } from './reference/generators.js';

const anyProblem = fc.oneof(smallProblem, hugeProblem);
const often = runs(1_000);

/** What of an answer must not depend on how the question is put: a conflict may be any of several as small. */
const essence = (decision: Decision): unknown =>
  decision.feasible
    ? { layout: decision.layout, memories: decision.memories }
    : { constraintsInConflict: decision.conflict.length };

describe('decide', () => {
  it('gives answers that satisfy every single constraint', () => {
    fc.assert(
      fc.property(anyProblem, (problem) => {
        const decision = decide(problem);
        expect(decision.feasible ? faults(problem, decision) : []).toEqual([]);
      }),
      often,
    );
  });

  it('does not care in what order constraints and participants stand', () => {
    const shuffled = anyProblem.chain((problem) =>
      fc
        .shuffledSubarray([...problem.constraints], { minLength: problem.constraints.length })
        .map((constraints) => [problem, { ...problem, constraints }] as const),
    );
    fc.assert(
      fc.property(shuffled, ([problem, other]) => {
        expect(essence(decide(other))).toEqual(essence(decide(problem)));
      }),
      often,
    );
  });

  it('answers the same when everything but the buffers held is said twice', () => {
    fc.assert(
      fc.property(anyProblem, (problem) => {
        const again = problem.constraints.filter((c) => c.kind !== 'min-buffers').map((c) => ({ ...c }));
        const twice = { ...problem, constraints: [...problem.constraints, ...again] };
        expect(essence(decide(twice))).toEqual(essence(decide(problem)));
      }),
      often,
    );
  });

  it('never finds more room when one constraint is added', () => {
    fc.assert(
      fc.property(smallProblem, smallConstraint, (problem, constraint) => {
        // Planes that are given descriptors of their own are another layout.
        fc.pre(constraint.kind !== 'planes-apart' || !constraint.value);
        const before = decide(problem);
        const after = decide({ ...problem, constraints: [...problem.constraints, constraint] });
        if (!after.feasible) {
          return;
        }
        expect(before.feasible).toBe(true);
        if (before.feasible) {
          expectNoWider(before, after);
        }
      }),
      often,
    );
  });

  it('finds a conflict again in nothing but the constraints that it named', () => {
    fc.assert(
      fc.property(anyProblem, (problem) => {
        const decision = decide(problem);
        fc.pre(!decision.feasible);
        const asked = new Set(decision.conflict);
        // Planes that are apart are another layout, in which images have room that are too large for one descriptor.
        const isMode = ({ kind, value }: Constraint): boolean => kind === 'planes-apart' && value;
        const constraints = problem.constraints.filter((c) => asked.has(c) || isMode(c));
        const alone = decide({ ...problem, constraints });
        expect(essence(alone)).toEqual(essence(decision));
      }),
      runs(500),
    );
  });

  it('puts scarce memory that nobody needs last, and leaves memories that are alike in their order', () => {
    fc.assert(
      fc.property(smallProblem, (problem) => {
        const decision = decide(problem);
        fc.pre(decision.feasible);
        const { memories } = decision;
        const asked = (kind: 'contiguous' | 'protected'): boolean =>
          problem.constraints.some((c) => c.kind === kind && c.value);
        const wasted = memories.map(
          (memory) =>
            (memory.contiguous && !asked('contiguous')) || (memory.protected && !asked('protected')),
        );
        expect(wasted).toEqual([...wasted].sort());
        for (const [place, memory] of memories.entries()) {
          for (const later of memories.slice(place + 1)) {
            if (later.contiguous === memory.contiguous && later.protected === memory.protected) {
              expect(problem.memories.indexOf(memory)).toBeLessThan(problem.memories.indexOf(later));
            }
          }
        }
      }),
      often,
    );
  });
});

type Answer = Extract<Decision, { feasible: true }>;

/** With one more constraint nothing becomes smaller, and no memory does that did not do before. */
function expectNoWider(before: Answer, after: Answer): void {
  // Another modifier is another choice, of another size, for which other memories may do.
  if (after.layout.image?.modifier !== before.layout.image?.modifier) return;
  expect(after.layout.size).toBeGreaterThanOrEqual(before.layout.size);
  for (const [place, plane] of (after.layout.image?.planes ?? []).entries()) {
    expect(plane.pitch).toBeGreaterThanOrEqual(before.layout.image?.planes[place]?.pitch ?? 0);
    expect(plane.offset).toBeGreaterThanOrEqual(before.layout.image?.planes[place]?.offset ?? 0n);
  }
  expect(before.memories).toEqual(expect.arrayContaining([...after.memories]));
}

describe('decide, asked by a crowd', () => {
  /** The first primes: no two of them share a multiple, so a few are too many for 32 bits. */
  const primes = Array.from({ length: 400 }, (_, n) => n).filter(
    (n) => n > 1 && Array.from({ length: n - 2 }, (_, m) => m + 2).every((m) => n % m !== 0),
  );
  const wants = (kind: 'pitch-multiple' | 'min-buffers', value: number, entry: number): Constraint => ({
    kind,
    value,
    origin: { entry, device: `/dev/video${entry}`, source: 'client' },
  });
  const base: Problem = {
    content: {
      format: { fourcc: 'XR24', planes: [{ hsub: 1, vsub: 1, bytes: 4 }] },
      width: 1920,
      height: 1080,
    },
    constraints: [],
    memories: [
      {
        handle: 'p-a',
        class: 'scattered',
        contiguous: false,
        protected: false,
        modifiers: [0n],
        addressBits: 36,
      },
    ],
  };
  const total: Constraint = {
    kind: 'total',
    value: 600,
    origin: { entry: -1, device: '', source: 'request' },
  };

  it.each([
    ['pitches without a common multiple', primes.slice(0, 64).map((p, n) => wants('pitch-multiple', p, n))],
    [
      'more buffers than there will be',
      [total, ...primes.slice(0, 64).map((p, n) => wants('min-buffers', (p * 7) % 23, n))],
    ],
  ])('names no constraint too many when 64 participants ask for %s', (_what, constraints) => {
    const decision = decide({ ...base, constraints });
    expect(decision.feasible).toBe(false);
    const conflict = decision.feasible ? [] : decision.conflict;
    const holds = (some: readonly Constraint[]): boolean => decide({ ...base, constraints: some }).feasible;
    expect(holds(conflict)).toBe(false);
    for (const left of conflict) {
      expect(holds(conflict.filter((c) => c !== left))).toBe(true);
    }
  });
});
