import { describe, expect, it } from 'vitest';

import { asks, implies, merge } from '../../../daemon/constraints/kinds/index.js';
import { intersect } from '../../../daemon/constraints/kinds/sets.js';
import { noLimits } from '../../../daemon/constraints/limits.js';
import type { Constraint, ConstraintKind } from '../../../daemon/constraints/constraint-types.js';

const ORIGIN = { entry: 0, device: 'cpu', source: 'client' };

/** A constraint as another room would make it. @param value of the kind's own type */
const constraint = (kind: ConstraintKind, value: unknown, more: object = {}): Constraint =>
  ({ kind, value, origin: ORIGIN, ...more }) as Constraint;

/** Of each kind: what says more, and what is said by it already. */
const IMPLIED: readonly (readonly [ConstraintKind, unknown, unknown])[] = [
  ['formats', [1n], [1n, 2n]],
  ['modifiers', [1n, 2n], [2n, 3n, 1n]],
  ['reach', ['a'], ['b', 'a']],
  ['pitch-multiple', 64, 16],
  ['width-multiple', 64, 16],
  ['pitch-linked', true, false],
  ['planes-contiguous', true, false],
  ['pitch-min', 64, 16],
  ['pitch-max', 16, 64],
  ['offset-multiple', 4096, 64],
  ['height-multiple', 16, 8],
  ['size-multiple', 4096n, 64n],
  ['size-min', 64n, 16n],
  ['size-extra', 64n, 16n],
  ['max-width', 16, 64],
  ['max-height', 16, 64],
  ['address-bits', 30, 32],
  ['total', 2, 3],
  ['count', 2, 3],
  ['spare', 3, 2],
  ['count-min', 3, 2],
  ['count-max', 2, 3],
  ['max-buffers', 2, 3],
];

describe('a constraint makes another superfluous', () => {
  it.each(IMPLIED)('that asks for less: %s', (kind, more, less) => {
    expect(implies(constraint(kind, more), constraint(kind, less))).toBe(true);
    expect(implies(constraint(kind, less), constraint(kind, more))).toBe(false);
  });

  it.each([
    ...IMPLIED,
    ['contiguous', true, true],
    ['planes-apart', true, true],
    ['planes-apart', false, false],
    ['protected', false, false],
    ['pitch-exact', 64, 64],
  ] as const)('that asks for the same: %s', (kind, value) => {
    expect(implies(constraint(kind, value), constraint(kind, value))).toBe(true);
  });

  it.each([
    ['formats', [1n, 2n], [2n, 3n]],
    ['pitch-multiple', 64, 48],
    ['width-multiple', 64, 48],
    ['pitch-exact', 64, 32],
    ['offset-multiple', 64, 48],
    ['height-multiple', 6, 4],
    ['size-multiple', 64n, 48n],
    ['contiguous', true, false],
    ['contiguous', false, true],
    ['protected', true, false],
    ['min-buffers', 3, 2],
    ['min-buffers', 2, 2],
    ['width', 1, 1],
  ] as const)('but not where each says something of its own: %s %s and %s', (kind, a, b) => {
    expect(implies(constraint(kind, a), constraint(kind, b))).toBe(false);
  });

  it('asks for neither, where neither plane has to follow another', () => {
    expect(implies(constraint('pitch-linked', false), constraint('pitch-linked', false))).toBe(true);
    expect(implies(constraint('pitch-linked', true), constraint('pitch-linked', true))).toBe(true);
  });

  it('only of the same kind and the same memory', () => {
    expect(implies(constraint('max-width', 1), constraint('max-height', 2))).toBe(false);
    const [of, other] = [{ memory: 'a' }, { memory: 'b' }];
    const bits = (more: object): Constraint => constraint('address-bits', 30, more);
    expect(implies(bits(of), bits(of))).toBe(true);
    expect(implies(bits(of), bits(other))).toBe(false);
    expect(implies(bits({}), bits(of))).toBe(false);
  });
});

describe('a constraint that asks for nothing', () => {
  const kernel = { origin: { ...ORIGIN, source: 'kernel:x' } };
  const memory = { memory: 'a' };
  it.each([
    ['pitch-multiple', 1, 2],
    ['offset-multiple', 1, 2],
    ['height-multiple', 1, 2],
    ['size-multiple', 1n, 2n],
    ['min-buffers', 0, 1],
    ['pitch-linked', false, true],
    ['contiguous', false, true],
    ['protected', false, true],
  ] as const)('is %s with %s, but not with %s', (kind, nothing, something) => {
    expect(asks(constraint(kind, nothing))).toBe(false);
    expect(asks(constraint(kind, something))).toBe(true);
  });

  it('is what a memory can do, and not what it cannot', () => {
    for (const kind of ['contiguous', 'protected'] as const) {
      expect(asks(constraint(kind, true, memory))).toBe(false);
      expect(asks(constraint(kind, false, memory))).toBe(true);
    }
  });

  it('is not that a device cannot touch protected memory', () => {
    expect(asks(constraint('protected', false, kernel))).toBe(true);
    expect(asks(constraint('contiguous', false, kernel))).toBe(false);
  });

  it.each(['formats', 'modifiers', 'reach', 'max-width', 'pitch-exact', 'address-bits', 'total'] as const)(
    'is never %s',
    (kind) => {
      expect(asks(constraint(kind, []))).toBe(true);
    },
  );

  it.each(['width', 'height', 'size'] as const)(
    'is the %s of what is asked, which merges with nothing',
    (kind) => {
      expect(asks(constraint(kind, 1))).toBe(false);
      const limits = noLimits();
      merge(limits, constraint(kind, 1));
      expect(limits).toEqual(noLimits());
    },
  );
});

describe('what stands in two lists', () => {
  const long = Array.from({ length: 17 }, (_, i) => i * 2);
  it.each([
    [undefined, [3, 1], [3, 1]],
    [
      [3, 1, 2],
      [1, 3],
      [3, 1],
    ],
    [[1], [2], []],
    [[33, 32, 4, 5], long, [32, 4]],
    [[33, 30, 4, 5], long.slice(0, 16), [30, 4]],
  ])('is in the order of the first: %j and %j', (first, second, both) => {
    expect(intersect(first, second)).toEqual(both);
  });

  it('is the same step once', () => {
    const limits = noLimits();
    for (const step of [64, 32, 64]) merge(limits, constraint('pitch-exact', step));
    expect(limits.pitchExact).toEqual([64, 32]);
  });
});
