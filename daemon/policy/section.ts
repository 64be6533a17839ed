import { MEMORY_CLASSES } from '../../dbus/names.js';
import type { MemoryClass } from '../../dbus/names.js';
import { SECTIONS } from './keys.js';
import type { Key } from './keys.js';
import { parseDeviceMatch, parseHeapMatch, parseQuotaMatch } from './match.js';
import type { Match } from './match.js';
import type { HeapSubject, QuotaSubject, RuleSubject } from './policy.js';
import type { TextProblem } from './problem.js';
import type { Qualifier } from './qualifier.js';
import { nearest } from './suggest.js';

/** One `Key=value` that is well formed. */
export interface Setting {
  /** Its row of the table of keys. */
  readonly key: Key<unknown>;
  /** Without any part for a key with no brackets. */
  readonly qualifier: Qualifier;
  /** Empty: takes back what was said under the same key and qualifier. */
  readonly text: string;
  /** `policy:FILE:LINE`. */
  readonly source: string;
}

/** What a section is about. */
export type Heading =
  | { readonly name: 'Broker' }
  | { readonly name: 'Pool'; readonly class: MemoryClass }
  /** `match` as it is written; empty for everybody. */
  | { readonly name: 'Quota'; readonly matches: Match<QuotaSubject>; readonly match: string }
  | { readonly name: 'Device'; readonly matches: Match<RuleSubject> }
  | { readonly name: 'Heap'; readonly matches: Match<HeapSubject> };

/** A section as a file has it; several may be about the same. */
export type Section = Heading & { readonly settings: readonly Setting[] };

/** All that several sections say, in their order. */
export const settingsOf = (sections: readonly Section[]): readonly Setting[] =>
  sections.flatMap(({ settings }) => settings);

/** Reads what stands between a heading's brackets: `Broker`, `Pool scattered`, `Device driver=amdgpu`. */
export function parseHeading(text: string): Heading | TextProblem {
  const [word = ''] = text.split(/\s/, 1);
  const name = SECTIONS.find((known) => known === word);
  const rest = text.slice(word.length).trimStart();
  const offset = text.length - rest.length;
  switch (name) {
    case undefined:
      return {
        kind: 'unknown-section',
        problem: `${word || 'nothing'} is no section`,
        offset: 0,
        ...suggested(nearest(word, SECTIONS)),
      };
    case 'Broker':
      return rest === '' ? { name } : { kind: 'trailing-text', problem: 'nothing follows Broker', offset };
    case 'Pool': {
      const memoryClass = MEMORY_CLASSES.find((known) => known === rest.trimEnd());
      if (memoryClass !== undefined) return { name, class: memoryClass };
      return {
        kind: 'unknown-class',
        problem: `the class is one of ${MEMORY_CLASSES.join(', ')}`,
        offset,
        ...suggested(nearest(rest, MEMORY_CLASSES)),
      };
    }
    case 'Quota': {
      const read = heading(name, parseQuotaMatch(rest), offset);
      return 'problem' in read ? read : { ...read, match: rest.trim().replaceAll(/\s+/g, ' ') };
    }
    case 'Device':
      return heading(name, parseDeviceMatch(rest), offset);
    case 'Heap':
      return heading(name, parseHeapMatch(rest), offset);
  }
}

function heading<N extends string, S>(
  name: N,
  match: Match<S> | TextProblem,
  offset: number,
): { readonly name: N; readonly matches: Match<S> } | TextProblem {
  if (typeof match === 'function') return { name, matches: match };
  return { ...match, offset: offset + match.offset };
}

const suggested = (suggestion: string | undefined): { readonly suggestion?: string } =>
  suggestion === undefined ? {} : { suggestion };
