import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { bytesText, parseModifierArgument, parseWhole, parseWhole32 } from '../../../client/cli/numbers.js';
import { UsageError } from '../../../client/cli/usage.js';

describe('parseWhole', () => {
  it.each([
    ['0', 0n],
    ['4096', 4096n],
    ['0x1000', 4096n],
    ['64K', 65_536n],
    ['64KiB', 65_536n],
    ['8m', 8_388_608n],
    ['1GiB', 1n << 30n],
    ['2T', 1n << 41n],
    ['18446744073709551615', (1n << 64n) - 1n],
  ])('%s', (text, value) => {
    expect(parseWhole(text, '--size')).toBe(value);
  });

  it.each(['', '-1', '1.5', '8MB', 'K', '0x', '1 K', 'NaN'])('refuses %j', (text) => {
    expect(() => parseWhole(text, '--size')).toThrow(UsageError);
    expect(() => parseWhole(text, '--size')).toThrow(/^--size: /);
  });
});

it('parseWhole32 refuses what does not fit', () => {
  expect(parseWhole32('4294967295', 'x')).toBe(4_294_967_295);
  expect(() => parseWhole32('4294967296', 'x')).toThrow(UsageError);
});

it('parseModifierArgument names what is wrong', () => {
  expect(parseModifierArgument('linear', '--modifier')).toBe(0n);
  expect(() => parseModifierArgument('tiled', '--modifier')).toThrow(/--modifier.*'tiled'/);
});

describe('bytesText', () => {
  it.each([
    [0n, '0 B'],
    [1023n, '1023 B'],
    [1024n, '1 KiB'],
    [8_294_400n, '7.9 MiB'],
    [1n << 30n, '1 GiB'],
    [(1n << 64n) - 1n, '16777215.9 TiB'],
  ])('%d', (bytes, text) => {
    expect(bytesText(bytes)).toBe(text);
  });

  it('never says more than there is, and no tenth less', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 1n, max: 1n << 60n }), (bytes) => {
        const [number = '', unit = ''] = bytesText(bytes).split(' ');
        const scale = 1024 ** ['B', 'KiB', 'MiB', 'GiB', 'TiB'].indexOf(unit);
        const said = Number(number) * scale;
        expect(said).toBeLessThanOrEqual(Number(bytes) * (1 + 1e-12));
        expect(said + 0.1 * scale).toBeGreaterThanOrEqual(Number(bytes) * (1 - 1e-12));
      }),
    );
  });
});
