import fc from 'fast-check';

import type { WireValue } from '../../dbus/connection/bus-types.js';
import type { RawValue } from './raw-message.js';

/** A value of a type, as the connection has it and as `raw-message.ts` writes it. */
export interface TypedValue {
  readonly signature: string;
  readonly wire: WireValue;
  readonly raw: RawValue;
}

interface Pair {
  readonly wire: WireValue;
  readonly raw: RawValue;
}

const same = (value: number | bigint | boolean | string): Pair => ({ wire: value, raw: value });

const text = fc.string({ unit: 'binary', maxLength: 12 }).filter((value) => !value.includes('\0'));
const pathElement = fc.stringMatching(/^[A-Za-z0-9_]{1,6}$/);
const path = fc.array(pathElement, { maxLength: 4 }).map((elements) => `/${elements.join('/')}`);
const big = (bits: number, signed: boolean): fc.Arbitrary<bigint> =>
  fc.bigInt(
    signed
      ? { min: -(2n ** BigInt(bits - 1)), max: 2n ** BigInt(bits - 1) - 1n }
      : { min: 0n, max: 2n ** BigInt(bits) - 1n },
  );
const integer = (min: number, max: number): fc.Arbitrary<number> => fc.integer({ min, max });

const BASIC: Readonly<Record<string, fc.Arbitrary<Pair>>> = {
  y: integer(0, 0xff).map(same),
  b: fc.boolean().map(same),
  n: integer(-0x8000, 0x7fff).map(same),
  q: integer(0, 0xffff).map(same),
  i: integer(-0x8000_0000, 0x7fff_ffff).map(same),
  u: integer(0, 0xffff_ffff).map(same),
  x: big(64, true).map(same),
  t: big(64, false).map(same),
  d: fc.double().map(same),
  s: text.map(same),
  o: path.map(same),
  g: fc.constantFrom('', 'a{sv}', 'ssu', '(a(tu)v)').map(same),
};

/** Signature of one complete type, without `h`. */
export const arbitrarySignature: fc.Arbitrary<string> = fc.letrec<{ type: string; basic: string }>((tie) => ({
  basic: fc.constantFrom(...Object.keys(BASIC)),
  type: fc.oneof(
    { maxDepth: 4, depthIdentifier: 'type' },
    tie('basic'),
    fc.constant('v'),
    tie('type').map((element) => `a${element}`),
    fc.array(tie('type'), { minLength: 1, maxLength: 3 }).map((fields) => `(${fields.join('')})`),
    fc.tuple(tie('basic'), tie('type')).map(([key, value]) => `a{${key}${value}}`),
  ),
})).type;

/** Values of one complete type. */
export function valuesOf(signature: string): fc.Arbitrary<TypedValue> {
  return pairsOf(signature).map((pair) => ({ signature, ...pair }));
}

/** Any complete type, and a value of it. */
export const arbitraryValue: fc.Arbitrary<TypedValue> = arbitrarySignature.chain(valuesOf);

/** Bodies of messages: a signature and its values. */
export const arbitraryBody = fc.array(arbitraryValue, { maxLength: 4 }).map((values) => ({
  signature: values.map((value) => value.signature).join(''),
  wire: values.map((value) => value.wire),
  raw: values.map((value) => value.raw),
}));

function pairsOf(signature: string): fc.Arbitrary<Pair> {
  const code = signature.charAt(0);
  const basic = BASIC[code];
  if (basic !== undefined) return basic;
  if (code === 'v') return variants;
  if (code === 'a') return listOf(fc.array(pairsOf(signature.slice(1)), { maxLength: 3 }));
  return listOf(fc.tuple(...completeTypes(signature.slice(1, -1)).map(pairsOf)));
}

const variants: fc.Arbitrary<Pair> = fc
  .constantFrom('s', 'u', 't', 'b', 'as', 'a{sv}', '(tu)', 'v')
  .chain((signature) =>
    pairsOf(signature).map(({ wire, raw }) => ({
      wire: { signature, value: wire },
      raw: [signature, raw],
    })),
  );

const listOf = (pairs: fc.Arbitrary<readonly Pair[]>): fc.Arbitrary<Pair> =>
  pairs.map((list) => ({ wire: list.map((pair) => pair.wire), raw: list.map((pair) => pair.raw) }));

/** Splits a signature; both kinds of brackets nest, an array code belongs to what follows it. */
function completeTypes(signature: string): string[] {
  const types: string[] = [];
  let depth = 0;
  let current = '';
  for (const code of signature) {
    current += code;
    if (code === '(' || code === '{') depth += 1;
    if (code === ')' || code === '}') depth -= 1;
    if (depth > 0 || code === 'a') continue;
    types.push(current);
    current = '';
  }
  return types;
}
