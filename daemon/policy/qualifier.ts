import { USES } from '../../dbus/names.js';
import type { Use } from '../../dbus/names.js';
import type { TextProblem } from './problem.js';
import { nearest } from './suggest.js';

/** What a condition looks at: the pitch of a plane (bytes), or a side of the image (pixels). */
export const MEASURES = ['pitch', 'width', 'height'] as const;
export type Measure = (typeof MEASURES)[number];

/** Sizes that an image must exceed for a limit to hold. */
export type Above = Readonly<Partial<Record<Measure, number>>>;

/** What a limit holds for: `[decode,encode]`, `[:NV12,P010]`, `[scanout,pitch>32768:XR24]`. Sorted, nothing twice. */
export interface Qualifier {
  readonly uses?: readonly Use[];
  readonly above?: Above;
  /** Fourccs of four characters. */
  readonly formats?: readonly string[];
}

/** Reads what stands between the brackets: uses and conditions, and behind a colon formats. */
export function parseQualifier(text: string): Qualifier | TextProblem {
  const colon = text.indexOf(':');
  const uses: Use[] = [];
  const above: Partial<Record<Measure, number>> = {};
  for (const { word, offset } of words(colon === -1 ? text : text.slice(0, colon))) {
    if (word.includes('>')) {
      const problem = readCondition(above, word, offset);
      if (problem !== undefined) return problem;
      continue;
    }
    const use = USES.find((known) => known === word);
    if (use === undefined) return unknownUse(word, offset);
    uses.push(use);
  }
  const said = {
    ...(uses.length > 0 && { uses: sorted(uses) }),
    ...(Object.keys(above).length > 0 && { above }),
  };
  if (colon === -1) return Object.keys(said).length === 0 ? nothing(0) : said;

  const formats: string[] = [];
  for (const { word, offset } of words(text.slice(colon + 1))) {
    if (!/^[!-~]{1,4}$/.test(word))
      return { kind: 'not-a-fourcc', problem: `${word} is no fourcc`, offset: colon + 1 + offset };
    formats.push(word.padEnd(4));
  }
  if (formats.length === 0) return nothing(colon);
  return { ...said, formats: sorted(formats) };
}

/** Reads `pitch>32768`. @returns what is wrong with it */
function readCondition(
  above: Partial<Record<Measure, number>>,
  word: string,
  offset: number,
): TextProblem | undefined {
  const [, name = '', digits] = /^([^>]*)>(\d{1,10})$/.exec(word) ?? [];
  const measure = MEASURES.find((known) => known === name);
  const size = Number(digits);
  if (measure !== undefined && digits !== undefined && size <= 0xffff_ffff) {
    above[measure] = Math.max(above[measure] ?? 0, size);
    return undefined;
  }
  const problem = `${word} is no condition: write pitch>BYTES, width>PIXELS or height>PIXELS`;
  return { kind: 'bad-size-condition', problem, offset };
}

const nothing = (offset: number): TextProblem => ({
  kind: 'empty-qualifier',
  problem: 'empty brackets: write [USE,…], [CONDITION,…], [:FORMAT,…] or [USE,…:FORMAT,…]',
  offset,
});

/** One text for each set of uses, conditions and formats. */
export const printQualifier = ({ uses = [], above = {}, formats = [] }: Qualifier): string => {
  const conditions = MEASURES.flatMap((measure) =>
    above[measure] === undefined ? [] : [`${measure}>${above[measure]}`],
  );
  return `${[...uses, ...conditions].join()}:${formats.join()}`;
};

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
