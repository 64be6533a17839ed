import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { modifierName, parseModifier } from '../../../client/graphics/modifiers.js';

describe('modifierName', () => {
  it.each([
    [0n, 'LINEAR'],
    [0x0100_0000_0000_0001n, 'INTEL:0x0100000000000001'],
    [0x0200_0000_0000_0901n, 'AMD:0x0200000000000901'],
    [0x0c00_0000_0000_0001n, 'APPLE:0x0c00000000000001'],
    [0x7f00_0000_0000_0001n, '0x7f00000000000001'],
    [2n, 'NONE:0x0000000000000002'],
  ])('%d is %s', (modifier, name) => {
    expect(modifierName(modifier)).toBe(name);
  });
});

describe('parseModifier', () => {
  it('reads every name', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), (modifier) => {
        expect(parseModifier(modifierName(modifier))).toBe(modifier);
        expect(parseModifier(modifier.toString())).toBe(modifier);
      }),
    );
  });

  it.each(['linear', 'Linear'])('reads %s', (text) => {
    expect(parseModifier(text)).toBe(0n);
  });

  it.each([
    '',
    'x',
    '-1',
    '0x',
    '0x10000000000000000',
    '18446744073709551616',
    'AMD:0x0100000000000001',
    '1 ',
  ])('refuses %j', (text) => {
    expect(parseModifier(text)).toBeUndefined();
  });
});
