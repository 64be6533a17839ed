import { expect, it } from 'vitest';

import { toJson } from '../../../client/cli/json.js';

it('writes modifiers in hexadecimal, wherever they stand', () => {
  expect(
    toJson({
      modifier: 1n,
      modifiers: [0n],
      constraints: [
        { constraint: 'formats', value: [0n, 2n] },
        { constraint: 'modifiers', value: [3n] },
        { constraint: 'size-multiple', value: 4096n },
      ],
    }),
  ).toEqual({
    modifier: '0x0000000000000001',
    modifiers: ['0x0000000000000000'],
    constraints: [
      { constraint: 'formats', value: ['0x0000000000000000', '0x0000000000000002'] },
      { constraint: 'modifiers', value: ['0x0000000000000003'] },
      { constraint: 'size-multiple', value: 4096 },
    ],
  });
});

it('writes whole numbers as numbers as long as those are exact', () => {
  expect(toJson([2n ** 53n - 1n, 2n ** 53n, -1n, 7])).toEqual([
    9_007_199_254_740_991,
    '9007199254740992',
    -1,
    7,
  ]);
});

it('writes times in ISO 8601, and leaves out what is undefined', () => {
  expect(toJson({ created: new Date(0), layout: undefined, state: null })).toEqual({
    created: '1970-01-01T00:00:00.000Z',
    state: null,
  });
});
