import { describe, expect, test } from 'vitest';

import {
  constraintDict,
  detailsDict,
  explanationDict,
  layoutDict,
  shortfallDict,
} from '../../../daemon/bus/replies.js';
import { decodeExplanation } from '../../../client/wire/decode.js';
import { deviceValues } from '../../../daemon/bus/views.js';
import type { GrantedLayout } from '../../../daemon/broker/broker-types.js';
import type { Constraint } from '../../../daemon/constraints/constraint-types.js';
import { GPU } from '../machine.js';
import { v } from './wire.js';

const origin = { entry: 1, device: '/dev/dri/card0', source: 'client' };

const R8: GrantedLayout = {
  image: { format: 'R8  ', modifier: 0n, width: 3, height: 2, planes: [{ offset: 0n, pitch: 64 }] },
  size: 128n,
  count: 2,
  pool: 'abcd',
  cpuAccess: 'cached',
};

describe('a layout', () => {
  test('of an image', () => {
    expect(layoutDict(R8)).toEqual([
      ['format', v('s', 'R8')],
      ['modifier', v('t', 0n)],
      ['width', v('u', 3)],
      ['height', v('u', 2)],
      ['planes', v('a(tu)', [[0n, 64]])],
      ['size', v('t', 128n)],
      ['count', v('u', 2)],
      ['pool', v('s', 'abcd')],
      ['cpu-access', v('s', 'cached')],
    ]);
  });

  test('of memory with no image', () => {
    const layout: GrantedLayout = { size: 1n, count: 1, pool: 'abcd', cpuAccess: 'none' };
    expect(layoutDict(layout).map(([key]) => key)).toEqual(['size', 'count', 'pool', 'cpu-access']);
  });
});

describe('a constraint', () => {
  test.each<[Constraint, string]>([
    [{ kind: 'formats', value: [0n], origin }, 'at'],
    [{ kind: 'modifiers', value: [0n], origin }, 'at'],
    [{ kind: 'reach', value: ['abcd'], origin }, 'as'],
    [{ kind: 'pitch-multiple', value: 64, origin }, 'u'],
    [{ kind: 'pitch-linked', value: true, origin }, 'b'],
    [{ kind: 'size-multiple', value: 64n, origin }, 't'],
    [{ kind: 'contiguous', value: true, origin }, 'b'],
    [{ kind: 'address-bits', value: 32, origin }, 'u'],
    [{ kind: 'min-buffers', value: 3, origin }, 'u'],
    [{ kind: 'total', value: 3, origin }, 'u'],
    [{ kind: 'width', value: 3, origin }, 'u'],
    [{ kind: 'size', value: 3n, origin }, 't'],
  ])('%o has a value of type %s', (constraint, signature) => {
    expect(constraintDict(constraint)).toEqual([
      ['entry', v('i', 1)],
      ['device', v('s', '/dev/dri/card0')],
      ['constraint', v('s', constraint.kind)],
      ['value', v(signature, constraint.value)],
      ['source', v('s', 'client')],
    ]);
  });

  test('of a memory belongs to no entry', () => {
    const memory = { entry: -1, device: '', source: 'memory:abcd' };
    expect(constraintDict({ kind: 'contiguous', value: false, origin: memory, memory: 'abcd' })).toEqual([
      ['entry', v('i', -1)],
      ['device', v('s', '')],
      ['constraint', v('s', 'contiguous')],
      ['value', v('b', false)],
      ['source', v('s', 'memory:abcd')],
    ]);
  });
});

test('an explanation names layout and pool only when there is one', () => {
  const rest = { constraints: [], conflicts: [], limits: ['MaxBuffer'], suggestions: [] };
  const keys = ['constraints', 'conflicts', 'limits', 'suggestions'];
  const feasible = explanationDict({ feasible: true, layout: R8, ...rest });
  expect(feasible.map(([key]) => key)).toEqual(['feasible', 'layout', 'pool', ...keys]);
  expect(feasible).toContainEqual(['pool', v('s', 'abcd')]);
  expect(explanationDict({ feasible: false, ...rest }).map(([key]) => key)).toEqual(['feasible', ...keys]);
});

test('an explanation says what was left out, and the library reads that', () => {
  const leftOut = ['0x300000000606010: how it lays out XR24 is not known'];
  const told = explanationDict({
    ...{ feasible: true, constraints: [], conflicts: [], limits: [], suggestions: [] },
    layout: R8,
    leftOut,
  });
  expect(told).toContainEqual(['left-out', v('as', leftOut)]);
  expect(decodeExplanation(told)).toMatchObject({ leftOut });
});

test('a shortfall says what mends it, where something does', () => {
  const shortfall = { class: 'contiguous', asked: 2n, available: 1n, text: 'too little' } as const;
  const said = [
    ['class', v('s', 'contiguous')],
    ['asked', v('t', 2n)],
    ['available', v('t', 1n)],
    ['text', v('s', 'too little')],
  ];
  expect(shortfallDict(shortfall)).toEqual(said);
  expect(shortfallDict({ ...shortfall, mend: 'add more' })).toEqual([...said, ['mend', v('s', 'add more')]]);
});

test('details have the types of their values', () => {
  const details = new Map<string, string | bigint | boolean>([
    ['name', 'system'],
    ['limit', 1n],
    ['usable', true],
  ]);
  expect(detailsDict(details)).toEqual([
    ['name', v('s', 'system')],
    ['limit', v('t', 1n)],
    ['usable', v('b', true)],
  ]);
});

test("a device's formats are each named once, with the modifiers of all uses", () => {
  const formats = [
    { format: 'R8  ', modifiers: [0n, 1n], uses: ['scanout'], source: 'kernel:a' },
    { format: 'XR24', modifiers: [], uses: ['scanout'], source: 'kernel:a' },
    { format: 'R8  ', modifiers: [1n, 2n], uses: ['render'], source: 'kernel:b' },
  ] as const;
  const { Formats } = deviceValues({ device: { ...GPU, formats }, constraints: [], pools: [] });
  expect(Formats).toEqual([
    ['R8', [0n, 1n, 2n]],
    ['XR24', []],
  ]);
});
