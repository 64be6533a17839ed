import type { HeapSubject, QuotaSubject, RuleSubject } from './policy.js';
import type { TextProblem } from './problem.js';
import { nearest } from './suggest.js';

/** What stands in a section's brackets behind its name: every condition holds. */
export type Match<S> = (subject: S) => boolean;

/** How a kind of section says what it is about. */
interface Conditions<S> {
  /** What each condition looks at: any of the values may fit. */
  readonly facts: Readonly<Record<string, (subject: S) => readonly string[]>>;
  /** Between a condition and what it is compared with. */
  readonly sign: '=' | ':';
  /** The condition that a word of its own means. */
  readonly bare?: string;
}

const DEVICE: Conditions<RuleSubject> = {
  facts: {
    driver: ({ driver }) => [driver],
    compatible: ({ compatible }) => compatible,
    pci: ({ pci }) => (pci === undefined ? [] : [pci]),
    number: ({ number }) => [number],
  },
  sign: '=',
  bare: 'driver',
};

const HEAP: Conditions<HeapSubject> = {
  facts: {
    name: ({ name }) => [name],
    kind: ({ kind }) => [kind],
  },
  sign: '=',
  bare: 'name',
};

const QUOTA: Conditions<QuotaSubject> = {
  facts: {
    user: ({ user }) => (user === undefined ? [] : [user]),
    uid: ({ uid }) => [String(uid)],
    group: ({ groups }) => groups,
    unit: ({ unit }) => (unit === undefined ? [] : [unit]),
  },
  sign: ':',
};

/** Reads `driver=amdgpu pci=1002:*`; a word of its own is a driver. */
export const parseDeviceMatch = (text: string): Match<RuleSubject> | TextProblem => parseMatch(text, DEVICE);

/** Reads `kind=dma-heap name=vendor-*`; a word of its own is a name. */
export const parseHeapMatch = (text: string): Match<HeapSubject> | TextProblem => parseMatch(text, HEAP);

/** Reads `group:video unit:app-*.scope`; nothing means everybody. */
export const parseQuotaMatch = (text: string): Match<QuotaSubject> | TextProblem =>
  text.trim() === '' ? () => true : parseMatch(text, QUOTA);

function parseMatch<S>(text: string, { facts, sign, bare }: Conditions<S>): Match<S> | TextProblem {
  const conditions: Match<S>[] = [];
  for (const { 0: word, index: offset } of text.matchAll(/\S+/g)) {
    const end = word.indexOf(sign);
    const name = end === -1 ? bare : word.slice(0, end);
    const fact = name !== undefined && Object.hasOwn(facts, name) ? facts[name] : undefined;
    if (name === undefined || fact === undefined) {
      const [said = ''] = word.split(/[=:]/, 1);
      const meant = nearest(said, Object.keys(facts));
      // Only the sign between may be wrong.
      const suggestion = meant === said ? `${said}${sign}` : meant;
      return {
        kind: 'unknown-condition',
        problem: `unknown condition ${said}`,
        offset,
        ...(suggestion !== undefined && { suggestion }),
      };
    }
    // The kernel writes PCI ids in capitals, the inventory and lspci do not.
    const value = name === 'pci' ? word.slice(end + 1).toLowerCase() : word.slice(end + 1);
    const patterns = value.split('|');
    if (patterns.includes(''))
      return { kind: 'empty-condition', problem: `${name} is compared with nothing`, offset };
    conditions.push((subject) =>
      fact(subject).some((text) => patterns.some((pattern) => fits(pattern, text))),
    );
  }
  if (conditions.length === 0) {
    return {
      kind: 'no-condition',
      problem: `it needs what it is about, ${bare ?? 'name'}${sign}NAME`,
      offset: 0,
    };
  }
  return (subject) => conditions.every((holds) => holds(subject));
}

/** Whether a pattern with `*` (any text) and `?` (any character) is all of the text, in pattern × text steps at most. */
export function fits(pattern: string, text: string): boolean {
  let at = 0;
  let star: { readonly pattern: number; readonly text: number } | undefined;
  let i = 0;
  while (i < text.length) {
    if (pattern[at] === '*') {
      star = { pattern: at, text: i };
      at += 1;
    } else if (at < pattern.length && (pattern[at] === '?' || pattern[at] === text[i])) {
      at += 1;
      i += 1;
    } else if (star !== undefined) {
      star = { pattern: star.pattern, text: star.text + 1 };
      at = star.pattern + 1;
      i = star.text;
    } else {
      return false;
    }
  }
  while (pattern[at] === '*') at += 1;
  return at === pattern.length;
}
