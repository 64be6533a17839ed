import { USES } from '../../dbus/names.js';
import type { Use } from '../../dbus/names.js';
import type { TextProblem } from './problem.js';
import { nearest } from './suggest.js';

/** What a limit holds for: `[decode,encode]`, `[:NV12,P010]`, `[capture:NV12]`. Sorted, nothing twice. */
export interface Qualifier {
  readonly uses?: readonly Use[];
  /** Fourccs of four characters. */
  readonly formats?: readonly string[];
}

/** Reads what stands between the brackets: uses, and behind a colon formats. */
export function parseQualifier(text: string): Qualifier | TextProblem {
  const colon = text.indexOf(':');
  const uses: Use[] = [];
  for (const { word, offset } of words(colon === -1 ? text : text.slice(0, colon))) {
    const use = USES.find((known) => known === word);
    if (use === undefined) return unknownUse(word, offset);
    uses.push(use);
  }
  if (colon === -1) return uses.length === 0 ? nothing(0) : { uses: sorted(uses) };

  const formats: string[] = [];
  for (const { word, offset } of words(text.slice(colon + 1))) {
    if (!/^[!-~]{1,4}$/.test(word))
      return { kind: 'not-a-fourcc', problem: `${word} is no fourcc`, offset: colon + 1 + offset };
    formats.push(word.padEnd(4));
  }
  if (formats.length === 0) return nothing(colon);
  return uses.length === 0 ? { formats: sorted(formats) } : { uses: sorted(uses), formats: sorted(formats) };
}

const nothing = (offset: number): TextProblem => ({
  kind: 'empty-qualifier',
  problem: 'empty brackets: write [USE,…], [:FORMAT,…] or [USE,…:FORMAT,…]',
  offset,
});

/** One text for each set of uses and formats. */
export const printQualifier = ({ uses = [], formats = [] }: Qualifier): string =>
  `${uses.join()}:${formats.join()}`;

function* words(text: string): Generator<{ readonly word: string; readonly offset: number }> {
  for (const { 0: word, index: offset } of text.matchAll(/[^\s,]+/g)) yield { word, offset };
}

function unknownUse(word: string, offset: number): TextProblem {
  if (/^[A-Z0-9]{4}$/.test(word)) {
    const problem = `unknown use ${word}, did you mean the format :${word}?`;
    return { kind: 'format-as-use', problem, offset };
  }
  const suggestion = nearest(word, USES);
  const problem = `unknown use ${word}`;
  return { kind: 'unknown-use', problem, offset, ...(suggestion !== undefined && { suggestion }) };
}

const sorted = <T extends string>(words: readonly T[]): T[] => [...new Set(words)].sort();
