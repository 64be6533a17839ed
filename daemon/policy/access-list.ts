import type { Access } from './policy.js';
import { nearest } from './suggest.js';
import type { ValueType } from './value-types.js';

const WORDS = ['users', 'active-session', 'administrator'] as const;
const GROUP = 'group:';
/** What useradd(8) takes, and the capitals that it does not. */
const GROUP_NAME = /^[A-Za-z_][A-Za-z0-9_.-]*\$?$/;

/** One or more of them, with spaces between: a user that one of them lets in may. */
export const access: ValueType<readonly Access[]> = {
  syntax: `one or more of ${WORDS.join(', ')} and ${GROUP}NAME`,
  parse(text) {
    const value: Access[] = [];
    for (const { 0: word, index: offset } of text.matchAll(/\S+/g)) {
      const one = readOne(word);
      if (one === undefined) {
        const suggestion = word.startsWith(GROUP) ? undefined : nearest(word, [...WORDS, `${GROUP}NAME`]);
        return {
          ok: false,
          kind: 'bad-value',
          problem: `it takes ${this.syntax}`,
          offset,
          ...(suggestion && { suggestion }),
        };
      }
      value.push(one);
    }
    return value.length === 0
      ? { ok: false, kind: 'bad-value', problem: `it takes ${this.syntax}`, offset: 0 }
      : { ok: true, value };
  },
  print: (value) => value.map(printAccess).join(' '),
};

function readOne(word: string): Access | undefined {
  const name = word.startsWith(GROUP) ? word.slice(GROUP.length) : undefined;
  if (name !== undefined) return GROUP_NAME.test(name) ? { kind: 'group', name } : undefined;
  const kind = WORDS.find((known) => known === word);
  return kind && { kind };
}

const printAccess = (one: Access): string => (one.kind === 'group' ? `${GROUP}${one.name}` : one.kind);
