import { WIRE_LIMITS } from './limits.js';
import { WireError } from './wire-error.js';

export type BasicCode = 'y' | 'b' | 'n' | 'q' | 'i' | 'u' | 'x' | 't' | 'd' | 's' | 'o' | 'g' | 'h';

/** One complete type of a signature. A dictionary is an array of dictionary entries. */
export type Type =
  | { readonly code: BasicCode | 'v' }
  | { readonly code: 'a'; readonly element: Type }
  | { readonly code: '('; readonly fields: readonly Type[] }
  | { readonly code: '{'; readonly key: Type; readonly value: Type };

/** Bytes that a value's start is aligned to. */
export const ALIGNMENT: Readonly<Record<Type['code'], 1 | 2 | 4 | 8>> = {
  y: 1,
  g: 1,
  v: 1,
  n: 2,
  q: 2,
  b: 4,
  i: 4,
  u: 4,
  s: 4,
  o: 4,
  h: 4,
  a: 4,
  x: 8,
  t: 8,
  d: 8,
  '(': 8,
  '{': 8,
};

/** Shared and never changed, because most variants hold one basic value. */
const LEAVES: ReadonlyMap<string, Type> = new Map(
  (['y', 'b', 'n', 'q', 'i', 'u', 'x', 't', 'd', 's', 'o', 'g', 'h', 'v'] as const).map((code) => [
    code,
    Object.freeze({ code }),
  ]),
);

/** Whether two types are one, though parsed apart. */
export function isSameType(a: Type, b: Type): boolean {
  if (a === b) return true;
  if (a.code === 'a') return b.code === 'a' && isSameType(a.element, b.element);
  if (a.code === '{') return b.code === '{' && isSameType(a.key, b.key) && isSameType(a.value, b.value);
  if (a.code === '(')
    return (
      b.code === '(' &&
      a.fields.length === b.fields.length &&
      a.fields.every((field, i) => {
        const other = b.fields[i];
        return other !== undefined && isSameType(field, other);
      })
    );
  return a.code === b.code;
}

/** The complete types of a signature, in order. @throws {WireError} when it is not a valid one */
export function parseSignature(signature: string): readonly Type[] {
  if (signature.length > WIRE_LIMITS.signature)
    throw new WireError('a signature is longer than 255 bytes', 'length');
  const parser = new Parser(signature);
  const types: Type[] = [];
  while (!parser.done) types.push(parser.type({ arrays: 0, structs: 0 }));
  return types;
}

/** The one complete type of a signature. @throws {WireError} when there is none, or more */
export function parseSingle(signature: string): Type {
  const leaf = LEAVES.get(signature);
  if (leaf !== undefined) return leaf;
  const [type, ...more] = parseSignature(signature);
  if (type === undefined || more.length > 0)
    throw new WireError('a variant does not hold exactly one complete type');
  return type;
}

interface Nesting {
  readonly arrays: number;
  readonly structs: number;
}

class Parser {
  readonly #signature: string;
  #at = 0;

  constructor(signature: string) {
    this.#signature = signature;
  }

  get done(): boolean {
    return this.#at >= this.#signature.length;
  }

  type(nesting: Nesting): Type {
    const char = this.#signature[this.#at] ?? '';
    this.#at += 1;
    if (char === 'a') return this.#array(deeper(nesting, 1, 0));
    if (char === '(') return this.#struct(deeper(nesting, 0, 1));
    const leaf = LEAVES.get(char);
    if (leaf === undefined) throw new WireError('a signature has an unknown or misplaced type code');
    return leaf;
  }

  #array(nesting: Nesting): Type {
    if (this.#signature[this.#at] !== '{') return { code: 'a', element: this.type(nesting) };
    this.#at += 1;
    const inside = deeper(nesting, 0, 1);
    const key = this.type(inside);
    if (!isBasic(key)) throw new WireError('the key of a dictionary is not a basic type');
    const value = this.type(inside);
    if (!this.#accept('}')) throw new WireError('a dictionary entry does not have two types');
    return { code: 'a', element: { code: '{', key, value } };
  }

  #struct(nesting: Nesting): Type {
    const fields: Type[] = [];
    while (!this.#accept(')')) fields.push(this.type(nesting));
    if (fields.length === 0) throw new WireError('a structure is empty');
    return { code: '(', fields };
  }

  #accept(char: string): boolean {
    if (this.#signature[this.#at] !== char) return false;
    this.#at += 1;
    return true;
  }
}

const isBasic = (type: Type): boolean => type.code !== 'v' && LEAVES.has(type.code);

function deeper(nesting: Nesting, arrays: number, structs: number): Nesting {
  const inner = { arrays: nesting.arrays + arrays, structs: nesting.structs + structs };
  if (inner.arrays > WIRE_LIMITS.nesting || inner.structs > WIRE_LIMITS.nesting)
    throw new WireError('a signature nests deeper than 32 arrays or 32 structures', 'depth');
  return inner;
}
