import { describe, expect, it } from 'vitest';

import type { WireValue } from '../../dbus/connection/bus-types.js';
import { isList, isVariant, wireReaders } from '../../dbus/wire-read.js';

class Mismatch extends Error {
  readonly field: string;
  readonly type: string;

  constructor(field: string, type: string) {
    super(`${field} ${type}`);
    this.field = field;
    this.type = type;
  }
}

const read = wireReaders((field, type) => new Mismatch(field, type));

/** A value of each type, as the connection reads it. */
const VALUES: readonly (readonly [keyof typeof read, string, WireValue])[] = [
  ['string', 's', ''],
  ['number', 'u', 0],
  ['bigint', 't', 0n],
  ['boolean', 'b', false],
  ['list', 'a', []],
  ['variant', 'v', { signature: 's', value: '' }],
];

describe('wireReaders', () => {
  it.each(VALUES)('reads a %s, and refuses every other type', (reader, type, value) => {
    expect(read[reader](value, 'field')).toBe(value);
    const others = VALUES.filter(([name]) => name !== reader).map(([, , other]) => other);
    for (const other of [...others, undefined]) {
      expect(() => read[reader](other, 'field')).toThrow(
        expect.objectContaining({ field: 'field', type }) as Mismatch,
      );
    }
  });
});

describe('isList and isVariant', () => {
  it('tell a list from a variant', () => {
    expect([isList([]), isVariant([])]).toEqual([true, false]);
    const variant = { signature: 'u', value: 1 };
    expect([isList(variant), isVariant(variant)]).toEqual([false, true]);
    expect([isList(undefined), isVariant(undefined)]).toEqual([false, false]);
  });
});
