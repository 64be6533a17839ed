import { createRequire } from 'node:module';

import fc from 'fast-check';
import { expect, test } from 'vitest';

import { readBody } from '../../../dbus/connection/reader.js';
import { parseSignature } from '../../../dbus/connection/signature.js';
import type { WireValue } from '../../../dbus/connection/bus-types.js';
import { WireError } from '../../../dbus/connection/wire-error.js';
import { Writer } from '../../../dbus/connection/writer.js';
import type { OwnedFd } from '../../../dbus/owned-fd.js';
import { arbitraryBody } from '../../harness/arbitrary-values.js';
import { marshal } from '../../harness/raw-message.js';
import { newMemfd } from '../../harness/sockets.js';

function write(signature: string, ...values: WireValue[]): Writer {
  const writer = new Writer();
  parseSignature(signature).forEach((type, i) => {
    const value = values[i];
    if (value !== undefined) writer.value(type, value);
  });
  return writer;
}

test('what is written is read back', () => {
  fc.assert(
    fc.property(arbitraryBody, ({ signature, wire }) => {
      const { bytes } = write(signature, ...wire);
      expect(readBody(bytes, true, signature, { fds: 0, values: Infinity })).toEqual(wire);
    }),
  );
});

test('writes the same bytes as an independent marshaller', () => {
  fc.assert(
    fc.property(arbitraryBody, ({ signature, wire, raw }) => {
      expect(write(signature, ...wire).bytes.equals(marshal(signature, raw))).toBe(true);
    }),
  );
});

test('writes the same bytes as dbus-next, where that can write them', () => {
  const require = createRequire(import.meta.url);
  const dbusNext = require('dbus-next/lib/marshall.js') as (signature: string, data: unknown) => Buffer;
  const value = [[['XR24', [0n, 1n]]], [['size', ['t', 4096n]]], -5, 'ä', [1.5, -1n, 7]] as const;
  const signature = 'a(sat)a{sv}is(dxy)';
  const [formats, [[key, [type, size]]], ...rest] = value;
  const ours = write(signature, formats, [[key, { signature: type, value: size }]], ...rest);
  expect(ours.bytes.equals(dbusNext(signature, value))).toBe(true);
});

const closed = (): OwnedFd => {
  const fd = newMemfd();
  fd.close();
  return fd;
};

test.each<[string, string, WireValue]>([
  ['a number too large', 'y', 256],
  ['a negative number for an unsigned type', 'u', -1],
  ['a fraction', 'i', 0.5],
  ['a number that is none', 'q', NaN],
  ['a number for 64 bits', 't', 1],
  ['a bigint for 32 bits', 'u', 1n],
  ['a bigint too large', 't', 2n ** 64n],
  ['a bigint too small', 'x', -(2n ** 63n) - 1n],
  ['a number for a boolean', 'b', 1],
  ['a number for a string', 's', 1],
  ['a NUL in a string', 's', 'a\0b'],
  ['half a character', 's', '\ud800'],
  ['a path that is not valid', 'o', 'a'],
  ['a signature that is not valid', 'g', 'a'],
  ['a structure with a field too many', '(u)', [1, 2]],
  ['a structure with a field too few', '(uu)', [1]],
  ['a string for an array', 'as', 'a'],
  ['a bare value for a variant', 'v', 1],
  ['a list for a variant', 'v', ['u', 1]],
  ['a variant of two types', 'v', { signature: 'uu', value: 1 }],
  ['a number for an fd', 'h', 1],
  ['an fd that was closed', 'h', closed()],
])('refuses %s', (_, signature, value) => {
  expect(() => write(signature, value)).toThrow(WireError);
});

test('an fd is written as its place among the fds of the message', () => {
  using first = newMemfd();
  using second = newMemfd();
  const writer = write('hah', second, [first, second]);
  expect(writer.fds).toEqual([second, first, second]);
  expect(readBody(writer.bytes, true, 'hah', { fds: 3, values: 9 })).toEqual([0, [1, 2]]);
});

test('at most 253 fds go into a message', () => {
  using fd = newMemfd();
  const list = (length: number): OwnedFd[] => Array.from({ length }, () => fd);
  expect(write('ah', list(253)).fds).toHaveLength(253);
  expect(() => write('ah', list(254))).toThrow(expect.objectContaining({ code: 'descriptors' }) as Error);
});

test('an array of more than 64 MiB is refused', () => {
  const half = 'x'.repeat(2 ** 25);
  expect(() => write('as', [half, half])).toThrow(expect.objectContaining({ code: 'length' }) as Error);
});

test('containers nest 64 deep and not deeper', () => {
  const nested = (count: number): WireValue =>
    count === 0 ? { signature: 'y', value: 1 } : { signature: 'v', value: nested(count - 1) };
  expect(() => write('v', nested(63))).not.toThrow();
  expect(() => write('v', nested(64))).toThrow(expect.objectContaining({ code: 'depth' }) as Error);
});
