import { describe, expect, it } from 'vitest';

import { decidingConstraints } from '../../../client/cli/deciding.js';
import type { ConstraintInfo, Explanation, ImageLayout, Value } from '../../../client/model.js';

const REQUEST = { width: 100, height: 100, format: 'NV12' };
const LAYOUT: ImageLayout = {
  ...REQUEST,
  modifier: 0n,
  planes: [],
  size: 0n,
  count: 1,
  pool: 'a1',
  cpuAccess: 'cached',
};

const of = (constraint: string, value: Value, entry = 0): ConstraintInfo => ({
  entry,
  device: 'cpu',
  constraint,
  value,
  source: 'client',
});

function decided(
  constraints: readonly ConstraintInfo[],
  buffer: object = {},
): readonly (readonly [string, Value, string])[] {
  const explanation: Explanation = {
    feasible: true,
    layout: LAYOUT,
    pool: 'a1',
    constraints,
    conflicts: [],
    limits: [],
    suggestions: [],
  };
  const deciding = decidingConstraints(explanation, { ...REQUEST, ...buffer });
  return [...deciding].map(([{ constraint, value }, aspects]) => [constraint, value, aspects.join(' ')]);
}

describe('decidingConstraints', () => {
  it('finds the one that sets the pitch', () => {
    expect(decided([of('pitch-multiple', 64), of('pitch-multiple', 256), of('pitch-min', 10)])).toEqual([
      ['pitch-multiple', 256, 'pitch offset size'],
    ]);
  });

  it('finds both when only both together do', () => {
    expect(decided([of('pitch-multiple', 16), of('pitch-multiple', 24), of('pitch-multiple', 8)])).toEqual([
      ['pitch-multiple', 16, 'pitch offset size'],
      ['pitch-multiple', 24, 'pitch offset size'],
    ]);
  });

  it('finds each of two that say the same', () => {
    expect(decided([of('pitch-multiple', 256), of('pitch-multiple', 256, 1)])).toHaveLength(2);
  });

  it('finds none where the image needs no padding', () => {
    expect(decided([of('pitch-multiple', 4), of('offset-multiple', 2), of('size-multiple', 100n)])).toEqual(
      [],
    );
  });

  it('tells offsets and sizes from pitches', () => {
    expect(
      decided([of('offset-multiple', 4096), of('size-multiple', 65_536n), of('height-multiple', 2)]),
    ).toEqual([
      ['offset-multiple', 4096, 'offset'],
      ['size-multiple', 65_536n, 'size'],
    ]);
  });

  it('names who makes the number of buffers, unless the request did', () => {
    const held = [of('min-buffers', 2), of('min-buffers', 3, 1)];
    expect(decided(held)).toEqual([
      ['min-buffers', 2, 'count'],
      ['min-buffers', 3, 'count'],
    ]);
    expect(decided(held, { count: 5 })).toEqual([]);
  });

  it('knows memory with no image', () => {
    const deciding = decidingConstraints(
      {
        feasible: true,
        layout: { size: 4096n, count: 1, pool: 'a1', cpuAccess: 'cached' },
        constraints: [of('size-multiple', 4096n), of('size-multiple', 2n)],
        conflicts: [],
        limits: [],
        suggestions: [],
      },
      { size: 10 },
    );
    expect([...deciding.values()]).toEqual([['size']]);
  });

  it('says nothing of what cannot be had', () => {
    const explanation = {
      feasible: false,
      constraints: [of('pitch-min', 900)],
      conflicts: [],
      limits: [],
      suggestions: [],
    };
    expect(decidingConstraints(explanation, REQUEST).size).toBe(0);
  });
});

it('lays tiles out as tiles: a row of X tiles has 512 bytes anyway', () => {
  const image = { width: 64, height: 64, format: 'XR24' };
  const constraints = [of('pitch-multiple', 512)];
  const explain = (modifier: bigint) =>
    decidingConstraints(
      {
        feasible: true,
        layout: { ...LAYOUT, ...image, modifier },
        pool: 'a1',
        constraints,
        conflicts: [],
        limits: [],
        suggestions: [],
      },
      image,
    );
  expect(explain(0n).size).toBe(1);
  expect(explain(0x0100_0000_0000_0001n).size).toBe(0);
});
