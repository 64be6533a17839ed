import fc from 'fast-check';
import { expect, test } from 'vitest';

import { readBody } from '../../../dbus/connection/reader.js';
import type { WireValue } from '../../../dbus/connection/bus-types.js';
import { WireError } from '../../../dbus/connection/wire-error.js';
import { arbitraryBody } from '../../harness/arbitrary-values.js';
import { marshal, type RawValue } from '../../harness/raw-message.js';

const ANY = { fds: 0, values: Infinity };

const read = (signature: string, bytes: Buffer, little = true): readonly WireValue[] =>
  readBody(bytes, little, signature, ANY);

const roundTrip = (signature: string, ...values: RawValue[]): readonly WireValue[] =>
  read(signature, marshal(signature, values));

test('reads in either byte order what an independent marshaller wrote', () => {
  fc.assert(
    fc.property(arbitraryBody, fc.boolean(), ({ signature, raw, wire }, little) => {
      expect(read(signature, marshal(signature, raw, little), little)).toEqual(wire);
    }),
  );
});

test('bytes that were changed, cut or added are read or refused, and nothing else happens', () => {
  const change = fc.record({ at: fc.nat(), byte: fc.nat(255), cut: fc.nat(8), add: fc.nat(8) });
  fc.assert(
    fc.property(arbitraryBody, change, ({ signature, raw }, { at, byte, cut, add }) => {
      const whole = marshal(signature, raw);
      const bytes = Buffer.concat([whole.subarray(0, Math.max(0, whole.length - cut)), Buffer.alloc(add)]);
      if (bytes.length > 0) bytes[at % bytes.length] = byte;
      try {
        read(signature, bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(WireError);
      }
    }),
    { numRuns: 2000 },
  );
});

test('a dictionary keeps keys that are given twice, and those that an object would hide', () => {
  const entries = [
    ['__proto__', 1],
    ['a', 2],
    ['a', 3],
  ];
  expect(roundTrip('a{su}', entries)).toEqual([entries]);
});

test.each([
  ['a boolean of 2', 'b', marshal('u', [2])],
  ['padding that is not zero', 'yu', Buffer.from([1, 0, 7, 0, 5, 0, 0, 0])],
  ['padding before the first element of an empty array', 'at', Buffer.from([0, 0, 0, 0, 1, 0, 0, 0])],
  ['a string without its NUL', 's', Buffer.from([1, 0, 0, 0, 0x61, 0x62])],
  ['a NUL inside a string', 's', Buffer.from([3, 0, 0, 0, 0x61, 0, 0x62, 0])],
  ['a string that is not UTF-8', 's', Buffer.from([1, 0, 0, 0, 0xff, 0])],
  ['a surrogate in UTF-8', 's', Buffer.from([3, 0, 0, 0, 0xed, 0xa0, 0x80, 0])],
  ['an overlong form in UTF-8', 's', Buffer.from([2, 0, 0, 0, 0xc0, 0x80, 0])],
  ['a string longer than the message', 's', marshal('u', [0xffff_ffff])],
  ['a path that does not start with /', 'o', marshal('s', ['a/b'])],
  ['a path that ends with /', 'o', marshal('s', ['/a/'])],
  ['an empty path', 'o', marshal('s', [''])],
  ['a signature that is not closed', 'g', marshal('g', ['(s'])],
  ['an array that goes past the end', 'au', marshal('u', [4])],
  ['an array of more than 64 MiB', 'ay', marshal('u', [2 ** 26 + 1])],
  ['an array whose last element goes past its end', 'au', Buffer.from([2, 0, 0, 0, 1, 0, 0, 0])],
  ['a variant of two types', 'v', marshal('v', [['uu', 1]])],
  ['a variant of no type', 'v', Buffer.from([0, 0])],
  ['bytes after the last value', 'u', marshal('uu', [1, 2])],
  ['bytes with no signature', '', Buffer.from([0])],
  ['an fd that did not come', 'h', marshal('h', [0])],
  ['a number cut short', 't', Buffer.alloc(7)],
  ['an unknown type', 'z', Buffer.alloc(8)],
])('refuses %s', (_, signature, bytes) => {
  expect(() => read(signature, bytes)).toThrow(WireError);
});

test('an fd index is taken when that many came', () => {
  const limits = { fds: 2, values: Infinity };
  expect(readBody(marshal('hh', [1, 0]), true, 'hh', limits)).toEqual([1, 0]);
  expect(() => readBody(marshal('h', [2]), true, 'h', limits)).toThrow(
    expect.objectContaining({ code: 'descriptors' }) as Error,
  );
});

const nestedVariants = (count: number): RawValue =>
  count === 0 ? ['y', 1] : ['v', nestedVariants(count - 1)];

test('containers nest 64 deep and not deeper', () => {
  expect(() => roundTrip('v', nestedVariants(63))).not.toThrow();
  expect(() => roundTrip('v', nestedVariants(64))).toThrow(
    expect.objectContaining({ code: 'depth' }) as Error,
  );
});

test('more than is allowed is refused before it is stored', () => {
  const read = (signature: string, bytes: Buffer, values: number): readonly WireValue[] =>
    readBody(bytes, true, signature, { fds: 0, values });
  const refused = expect.objectContaining({ code: 'limit' }) as Error;
  const list = marshal('ay', [Array.from({ length: 100 }, () => 1)]);
  expect(read('ay', list, 101)[0]).toHaveLength(100);
  expect(() => read('ay', list, 100)).toThrow(refused);
  const text = marshal('s', ['x'.repeat(800)]);
  expect(read('s', text, 101)).toHaveLength(1);
  expect(() => read('s', text, 100)).toThrow(refused);
  const variant = marshal('v', [['(yyyyyyyy)', [1, 2, 3, 4, 5, 6, 7, 8]]]);
  expect(read('v', variant, 21)).toHaveLength(1);
  expect(() => read('v', variant, 20)).toThrow(refused);
});
