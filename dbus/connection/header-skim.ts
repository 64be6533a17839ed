import type { FixedHeader, Header } from './header-reader.js';
import { FIELD_RULES, FIXED_LENGTH, type FieldRule, type HeaderFields } from './header.js';
import { WIRE_LIMITS } from './limits.js';
import { ALIGNMENT, parseSingle, type Type } from './signature.js';
import { WireError } from './wire-error.js';

/** What comes next of the header: these bytes in one piece, or that many to be passed over. */
export type SkimStep = { readonly read: number } | { readonly skip: number };

/** Is given the bytes that a `read` asked for; returns undefined when the fields could not be told apart. */
export type Skim = Generator<SkimStep, Header | undefined, Buffer>;

/** Pieces that are looked at. A bus lets nine fields through and needs about fifty; what has more is not worth the time. */
const MAX_STEPS = 1024;

const RULES: ReadonlyMap<number, FieldRule> = new Map(FIELD_RULES.map((rule) => [rule.code, rule]));
const BASIC_LENGTH = { y: 1, n: 2, q: 2, b: 4, i: 4, u: 4, h: 4, x: 8, t: 8, d: 8 } as const;

/**
 * Reads a header that is too long to be stored, so that its sender can be told: the numbers in it and the names, but no
 * value beyond the length of a name. Only a path is longer in a message that a bus lets through.
 * @param fixed of the message, behind which the bytes begin
 */
export function* skim(fixed: FixedHeader): Skim {
  try {
    const cursor = new Cursor(fixed);
    const fields: Partial<Record<keyof HeaderFields, string | number>> = {};
    while (cursor.left > 0) yield* skimField(cursor, fields);
    const { little, type, flags, serial, bodyLength } = fixed;
    // Each field was stored under the type that its rule names.
    const known = fields as HeaderFields;
    return { little, type, flags, serial, bodyLength, ...known, unixFds: known.unixFds ?? 0 };
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

type Steps<T> = Generator<SkimStep, T, Buffer>;

function* skimField(
  cursor: Cursor,
  fields: Partial<Record<keyof HeaderFields, string | number>>,
): Steps<void> {
  yield* cursor.align(8);
  const rule = RULES.get(yield* cursor.uint(1));
  const signature = yield* cursor.signature();
  if (rule === undefined) yield* skipValue(cursor, signature);
  else if (rule.type !== signature || fields[rule.name] !== undefined)
    throw new WireError('a field is wrong');
  else {
    const value = rule.type === 'u' ? yield* cursor.uint(4) : yield* cursor.text(rule.type);
    if (value !== undefined) fields[rule.name] = value;
  }
}

/** Passes over a value of any type, without recursion: variants can hold one another without end. */
function* skipValue(cursor: Cursor, signature: string): Steps<void> {
  const types: Type[] = [parseSingle(signature)];
  for (let type = types.pop(); type !== undefined; type = types.pop()) {
    yield* cursor.align(ALIGNMENT[type.code]);
    const { code } = type;
    if (code === 'a') yield* skipArray(cursor, type.element);
    else if (code === 'v') types.push(parseSingle(yield* cursor.signature()));
    else if (code === '(') types.push(...type.fields.toReversed());
    else if (code === '{') types.push(type.value, type.key);
    else if (code === 's' || code === 'o' || code === 'g') yield* cursor.text(code);
    else yield* cursor.skip(BASIC_LENGTH[code]);
  }
}

function* skipArray(cursor: Cursor, element: Type): Steps<void> {
  const length = yield* cursor.uint(4);
  yield* cursor.align(ALIGNMENT[element.code]);
  yield* cursor.skip(length);
}

/** Where the reading stands. Throws when it would go past the end of the fields. */
class Cursor {
  readonly #little: boolean;
  readonly #end: number;
  #position = FIXED_LENGTH;
  #steps = 0;

  constructor({ little, fieldsLength }: FixedHeader) {
    this.#little = little;
    this.#end = FIXED_LENGTH + fieldsLength;
  }

  /** Bytes of fields that are left. */
  get left(): number {
    return this.#end - this.#position;
  }

  *align(to: number): Steps<void> {
    const rest = this.#position % to;
    if (rest > 0) yield* this.skip(to - rest);
  }

  *skip(length: number): Steps<void> {
    if (length === 0) return;
    this.#advance(length);
    yield { skip: length };
  }

  *uint(length: 1 | 4): Steps<number> {
    const bytes = yield* this.#read(length);
    if (length === 1) return bytes.readUInt8();
    return this.#little ? bytes.readUInt32LE() : bytes.readUInt32BE();
  }

  *signature(): Steps<string> {
    return (yield* this.text('g')) ?? '';
  }

  /** Undefined when it is longer than a name, and was passed over. */
  *text(type: 's' | 'o' | 'g'): Steps<string | undefined> {
    yield* this.align(ALIGNMENT[type]);
    const length = yield* this.uint(type === 'g' ? 1 : 4);
    if (length > WIRE_LIMITS.name) {
      yield* this.skip(length + 1);
      return undefined;
    }
    return (yield* this.#read(length + 1)).toString('utf8', 0, length);
  }

  *#read(length: number): Steps<Buffer> {
    this.#advance(length);
    return yield { read: length };
  }

  #advance(length: number): void {
    this.#position += length;
    this.#steps += 1;
    if (this.#position > this.#end) throw new WireError('a header field goes past the end');
    if (this.#steps > MAX_STEPS) throw new WireError('a header has too many fields');
  }
}
