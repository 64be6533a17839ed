import type { Parsed, ProblemKind } from './problem.js';
import { PERCENT_DIGITS, UNITS } from './size-expression.js';
import type { SizeExpression } from './size-expression.js';

/** `min(` within `min(`: deeper than this is no policy, and the parser's own stack has an end. */
const MAX_DEPTH = 16;
/** Enough for 2⁶⁴. */
const MAX_DIGITS = 20;

/**
 * Reads an amount of memory:
 *
 *     sum  = term { "+" term }
 *     term = number ( "" | "K" | "M" | "G" | "T" )
 *          | number "%" [ "of" ( "ram" | "heap" ) ]
 *          | number ( "frame" | "frames" )
 *          | ( "min" | "max" ) "(" sum { "," sum } ")"
 */
export function parseSize(text: string): Parsed<SizeExpression> {
  try {
    const reader = new Reader(text);
    const size = sum(reader, 0);
    if (!reader.done) reader.fail('trailing-text', 'only + can follow here');
    return { ok: true, value: size };
  } catch (error) {
    if (error instanceof SizeSyntaxError)
      return { ok: false, kind: error.kind, problem: error.message, offset: error.offset };
    throw error;
  }
}

class SizeSyntaxError extends Error {
  readonly kind: ProblemKind;
  readonly offset: number;

  constructor(kind: ProblemKind, message: string, offset: number) {
    super(message);
    this.kind = kind;
    this.offset = offset;
  }
}

/** Takes tokens off a text, skipping the space before each. */
class Reader {
  readonly #text: string;
  #offset = 0;

  constructor(text: string) {
    this.#text = text;
    this.#skipSpace();
  }

  get done(): boolean {
    return this.#offset === this.#text.length;
  }

  /** @param pattern sticky */
  take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#offset;
    const token = pattern.exec(this.#text)?.[0];
    if (token === undefined) return undefined;
    this.#offset += token.length;
    this.#skipSpace();
    return token;
  }

  /** Undoes nothing: says what is wrong at this place. */
  fail(kind: ProblemKind, problem: string): never {
    throw new SizeSyntaxError(kind, problem, this.#offset);
  }

  #skipSpace(): void {
    while (this.#text[this.#offset] === ' ' || this.#text[this.#offset] === '\t') this.#offset += 1;
  }
}

function sum(reader: Reader, depth: number): SizeExpression {
  const first = term(reader, depth);
  const terms = [first];
  while (reader.take(/\+/y) !== undefined) terms.push(term(reader, depth));
  return terms.length === 1 ? first : { kind: 'sum', terms };
}

function term(reader: Reader, depth: number): SizeExpression {
  if (reader.take(/min(?![A-Za-z])/y) !== undefined) return choice('min', reader, depth);
  if (reader.take(/max(?![A-Za-z])/y) !== undefined) return choice('max', reader, depth);
  const digits = reader.take(/\d+/y);
  if (digits === undefined) return reader.fail('no-size', 'a size begins with a number, min( or max(');
  const fraction = reader.take(/\.\d+/y)?.slice(1) ?? '';
  if (digits.length > MAX_DIGITS)
    reader.fail('too-many-digits', `a number of more than ${MAX_DIGITS} digits`);
  if (fraction.length > PERCENT_DIGITS)
    reader.fail('too-many-digits', `more than ${PERCENT_DIGITS} digits behind the point`);
  return measure(reader, BigInt(digits + fraction), fraction.length);
}

function choice(kind: 'min' | 'max', reader: Reader, depth: number): SizeExpression {
  if (depth === MAX_DEPTH) reader.fail('too-deep', `more than ${MAX_DEPTH} min and max in one another`);
  if (reader.take(/\(/y) === undefined) reader.fail('missing-bracket', `${kind} needs (`);
  const terms = [sum(reader, depth + 1)];
  while (reader.take(/,/y) !== undefined) terms.push(sum(reader, depth + 1));
  if (reader.take(/\)/y) === undefined) reader.fail('missing-bracket', `${kind}( needs , or )`);
  return { kind, terms };
}

/** What a number measures: `digits` without their point, which stood before the last `decimals` of them. */
function measure(reader: Reader, digits: bigint, decimals: number): SizeExpression {
  if (reader.take(/%/y) !== undefined) {
    const millionths = digits * 10n ** BigInt(PERCENT_DIGITS - decimals);
    if (reader.take(/of(?![A-Za-z])/y) === undefined) return { kind: 'share', of: 'ram', millionths };
    if (reader.take(/ram(?![A-Za-z])/y) !== undefined) return { kind: 'share', of: 'ram', millionths };
    if (reader.take(/heap(?![A-Za-z])/y) !== undefined) return { kind: 'share', of: 'heap', millionths };
    return reader.fail('unknown-share', '% of ram or % of heap');
  }
  for (const [name, unit] of UNITS) {
    if (reader.take(new RegExp(`${name}(?![A-Za-z])`, 'y')) === undefined) continue;
    return { kind: 'bytes', bytes: (digits * unit) / 10n ** BigInt(decimals) };
  }
  const frames = reader.take(/frames?(?![A-Za-z])/y) !== undefined;
  if (decimals > 0)
    reader.fail('fraction-of-whole', `a whole number of ${frames ? 'frames' : 'bytes'}, or K, M, G, T or %`);
  if (frames) return { kind: 'frames', count: digits };
  if (reader.take(/(?=[A-Za-z])/y) !== undefined)
    reader.fail('unknown-unit', 'the units are K, M, G, T, % and frames');
  return { kind: 'bytes', bytes: digits };
}
