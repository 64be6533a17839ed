import fc from 'fast-check';
import { expect, test } from 'vitest';

import { parseSignature, parseSingle, type Type } from '../../../dbus/connection/signature.js';
import { WireError } from '../../../dbus/connection/wire-error.js';
import { arbitrarySignature } from '../../harness/arbitrary-values.js';

function print(type: Type): string {
  if (type.code === 'a') return `a${print(type.element)}`;
  if (type.code === '(') return `(${type.fields.map(print).join('')})`;
  if (type.code === '{') return `{${print(type.key)}${print(type.value)}}`;
  return type.code;
}

test('a signature that was parsed prints as it was', () => {
  fc.assert(
    fc.property(fc.array(arbitrarySignature, { maxLength: 4 }), (types) => {
      const signature = types.join('');
      fc.pre(signature.length <= 255);
      expect(parseSignature(signature).map(print).join('')).toBe(signature);
    }),
  );
});

test('any text is a signature or is refused, and nothing else happens', () => {
  const codes = fc.string({ unit: fc.constantFrom(...'aybnqiuxtdsogvh(){}z\0é'.split('')), maxLength: 12 });
  fc.assert(
    fc.property(codes, (signature) => {
      try {
        expect(parseSignature(signature).map(print).join('')).toBe(signature);
      } catch (error) {
        expect(error).toBeInstanceOf(WireError);
      }
    }),
    { numRuns: 2000 },
  );
});

test.each([
  'a',
  '(',
  ')',
  '()',
  '(s',
  's)',
  '{sv}',
  'a{s}',
  'a{svs}',
  'a{sv',
  'a{vs}',
  'a{(s)s}',
  'a{ass}',
  'r',
  'e',
])('refuses %s', (signature) => {
  expect(() => parseSignature(signature)).toThrow(WireError);
});

test('255 bytes are taken, 256 are not', () => {
  expect(parseSignature('y'.repeat(255))).toHaveLength(255);
  expect(() => parseSignature('y'.repeat(256))).toThrow(expect.objectContaining({ code: 'length' }) as Error);
});

test('32 arrays and 32 structures nest, 33 do not', () => {
  const structs = (count: number): string => `${'('.repeat(count)}y${')'.repeat(count)}`;
  expect(() => parseSignature(`${'a'.repeat(32)}${structs(32)}`)).not.toThrow();
  expect(() => parseSignature(`${'a'.repeat(33)}y`)).toThrow(
    expect.objectContaining({ code: 'depth' }) as Error,
  );
  expect(() => parseSignature(structs(33))).toThrow(expect.objectContaining({ code: 'depth' }) as Error);
});

test('a variant holds one complete type', () => {
  expect(print(parseSingle('a{sv}'))).toBe('a{sv}');
  expect(() => parseSingle('')).toThrow(WireError);
  expect(() => parseSingle('ss')).toThrow(WireError);
});
