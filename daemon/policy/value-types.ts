import type { Parsed } from './problem.js';
import { printBytes, printSize, speaksOfHeap } from './size-expression.js';
import type { SizeExpression } from './size-expression.js';
import { parseSize } from './size-parser.js';
import { nearest } from './suggest.js';

/** A kind of value: how it is written, read and shown. */
export interface ValueType<T> {
  /** For a person: `yes or no`. */
  readonly syntax: string;
  parse(text: string): Parsed<T>;
  print(value: T): string;
}

const U32 = 2n ** 32n - 1n;
const U64 = 2n ** 64n - 1n;

const YES = ['yes', 'true', 'on', '1'];
const NO = ['no', 'false', 'off', '0'];

export const yesOrNo: ValueType<boolean> = {
  syntax: 'yes or no',
  parse(text) {
    const word = text.toLowerCase();
    if (YES.includes(word)) return { ok: true, value: true };
    return NO.includes(word) ? { ok: true, value: false } : wrong(this.syntax, nearest(word, ['yes', 'no']));
  },
  print: (value) => (value ? 'yes' : 'no'),
};

/** Yes, no, or a word of its own. */
export const yesNoOr = <const W extends string>(extra: W): ValueType<boolean | W> => ({
  syntax: `yes, no or ${extra}`,
  parse(text) {
    if (text === extra) return { ok: true, value: extra };
    const parsed = yesOrNo.parse(text);
    return parsed.ok ? parsed : wrong(this.syntax, nearest(text, ['yes', 'no', extra]));
  },
  print: (value) => (typeof value === 'boolean' ? yesOrNo.print(value) : value),
});

/** One of a few words. */
export function oneOf<const W extends string>(words: readonly W[]): ValueType<W> {
  return {
    syntax: `one of ${words.join(', ')}`,
    parse(text) {
      const word = words.find((candidate) => candidate === text);
      return word === undefined ? wrong(this.syntax, nearest(text, words)) : { ok: true, value: word };
    },
    print: (word) => word,
  };
}

/** A whole number in these bounds. */
export function wholeNumber(least: number, most: number): ValueType<number> {
  return {
    syntax: `a number from ${least} to ${most}`,
    parse(text) {
      const value = /^-?\d{1,15}$/.test(text) ? Number(text) : NaN;
      return value >= least && value <= most ? { ok: true, value } : wrong(this.syntax);
    },
    print: String,
  };
}

/** Pixels or buffers: whatever the contract's `u` can say. */
export const count = wholeNumber(1, Number(U32));

/** A count of which none is a meaning too. */
export const anyCount = wholeNumber(0, Number(U32));

/** A part of the whole, as so many hundredths. */
export const percentage: ValueType<number> = {
  syntax: 'a percentage from 1% to 100%',
  parse(text) {
    const value = /^\d{1,3}%$/.test(text) ? Number(text.slice(0, -1)) : 0;
    return value >= 1 && value <= 100 ? { ok: true, value } : wrong(this.syntax);
  },
  print: (value) => `${value}%`,
};

/** Bytes that the contract's `u` can say. */
export const bytes32: ValueType<number> = {
  syntax: `bytes, 1 to ${U32}; K, M and G multiply by 1024`,
  parse(text) {
    const bytes = readBytes(text, U32);
    return bytes === undefined ? wrong(this.syntax) : { ok: true, value: Number(bytes) };
  },
  print: (value) => printBytes(BigInt(value)),
};

/** Bytes that the contract's `t` can say. */
export const bytes64: ValueType<bigint> = {
  syntax: `bytes, 1 to ${U64}; K, M, G and T multiply by 1024`,
  parse(text) {
    const bytes = readBytes(text, U64);
    return bytes === undefined ? wrong(this.syntax) : { ok: true, value: bytes };
  },
  print: printBytes,
};

/** A value of a limit; `per` when it counts for each macroblock of the image. */
export interface Scaled<T> {
  readonly value: T;
  readonly per?: 'macroblock';
}

const PER_MACROBLOCK = /\s+per\s+macroblock$/;

/** The same, or so much for each macroblock. */
export function perMacroblock<T>(type: ValueType<T>): ValueType<Scaled<T>> {
  return {
    syntax: `${type.syntax}; per macroblock may follow`,
    parse(text) {
      const parsed = type.parse(text.replace(PER_MACROBLOCK, ''));
      if (!parsed.ok) return wrong(this.syntax);
      return {
        ok: true,
        value: { value: parsed.value, ...(PER_MACROBLOCK.test(text) && { per: 'macroblock' }) },
      };
    },
    print: ({ value, per }) => type.print(value) + (per === undefined ? '' : ` per ${per}`),
  };
}

/** A size that is reckoned on the machine, with a pool's heap at hand. */
export const poolSize: ValueType<SizeExpression> = { syntax: 'a size', parse: parseSize, print: printSize };

/** A size that is reckoned on the machine and belongs to no heap. */
export const machineSize: ValueType<SizeExpression> = {
  ...poolSize,
  parse(text) {
    const parsed = parseSize(text);
    if (!parsed.ok || !speaksOfHeap(parsed.value)) return parsed;
    return {
      ok: false,
      kind: 'no-heap',
      problem: 'there is no heap to take a share of',
      offset: text.indexOf('heap'),
      suggestion: '% of ram',
    };
  },
};

function readBytes(text: string, most: bigint): bigint | undefined {
  const parsed = parseSize(text);
  if (!parsed.ok || parsed.value.kind !== 'bytes') return undefined;
  return parsed.value.bytes >= 1n && parsed.value.bytes <= most ? parsed.value.bytes : undefined;
}

const wrong = (syntax: string, suggestion?: string): Parsed<never> => ({
  ok: false,
  kind: 'bad-value',
  problem: `it takes ${syntax}`,
  offset: 0,
  ...(suggestion !== undefined && { suggestion }),
});
