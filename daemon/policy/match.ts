import type { HeapSubject, RuleSubject } from './policy.js';
import { didYouMean, nearest } from './suggest.js';

/** What stands in a section's brackets behind its name: every condition holds. */
export type Match<S> = (subject: S) => boolean;

/** What is wrong with one, and how far into its text. */
export interface MatchProblem {
  readonly problem: string;
  readonly offset: number;
}

/** What a condition looks at: any of the values may fit. */
type Facts<S> = Readonly<Record<string, (subject: S) => readonly string[]>>;

const DEVICE_FACTS: Facts<RuleSubject> = {
  driver: ({ driver }) => [driver],
  compatible: ({ compatible }) => compatible,
  pci: ({ pci }) => (pci === undefined ? [] : [pci]),
  number: ({ number }) => [number],
};

const HEAP_FACTS: Facts<HeapSubject> = {
  name: ({ name }) => [name],
  kind: ({ kind }) => [kind],
};

/** Reads `driver=amdgpu pci=1002:*`; a word of its own is a driver. */
export const parseDeviceMatch = (text: string): Match<RuleSubject> | MatchProblem =>
  parseMatch(text, DEVICE_FACTS, 'driver');

/** Reads `kind=dma-heap name=vendor-*`; a word of its own is a name. */
export const parseHeapMatch = (text: string): Match<HeapSubject> | MatchProblem =>
  parseMatch(text, HEAP_FACTS, 'name');

function parseMatch<S>(text: string, facts: Facts<S>, bare: string): Match<S> | MatchProblem {
  const conditions: Match<S>[] = [];
  for (const { 0: word, index: offset } of text.matchAll(/\S+/g)) {
    const equals = word.indexOf('=');
    const name = equals === -1 ? bare : word.slice(0, equals);
    const fact = Object.hasOwn(facts, name) ? facts[name] : undefined;
    if (fact === undefined) {
      return { problem: `unknown condition ${name}${didYouMean(nearest(name, Object.keys(facts)))}`, offset };
    }
    // The kernel writes PCI ids in capitals, the inventory and lspci do not.
    const value = name === 'pci' ? word.slice(equals + 1).toLowerCase() : word.slice(equals + 1);
    const patterns = value.split('|');
    if (patterns.includes('')) return { problem: `${name} is compared with nothing`, offset };
    conditions.push((subject) =>
      fact(subject).some((text) => patterns.some((pattern) => fits(pattern, text))),
    );
  }
  if (conditions.length === 0) return { problem: `it needs what it is about, ${bare}=NAME`, offset: 0 };
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
