import { USES } from '../../dbus/names.js';
import { findVerb } from './arguments.js';
import { limitNames } from './device-argument.js';
import { GLOBAL_OPTIONS, type Option } from './options.js';
import type { Verb } from './verb.js';

/** Values of options that are known without asking anybody. */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  '--bus': ['system', 'session'],
  '--modifier': ['LINEAR'],
};

/**
 * What could stand where a person asks a shell to complete.
 * @param words what stands before, without the program's name
 * @param current the word so far
 * @returns whole words that begin with it
 */
export function complete(
  words: readonly string[],
  current: string,
  verbs: readonly Verb[],
): readonly string[] {
  if (words.includes('--')) return [];
  const { verb: name } = findVerb(words);
  const verb = verbs.find((each) => each.name === name);
  const options = [...GLOBAL_OPTIONS, ...(verb?.options ?? [])];
  const last = words.at(-1) ?? '';
  const candidates = takesValue(options, last)
    ? valuesOf(last, current)
    : [
        ...(name === undefined ? verbs.map((each) => each.name) : []),
        ...options.map((each) => `--${each.name}`),
      ];
  return candidates.filter((candidate) => candidate.startsWith(current));
}

const takesValue = (options: readonly Option[], word: string): boolean =>
  options.some(({ name, value }) => value !== undefined && word === `--${name}`);

function valuesOf(option: string, current: string): readonly string[] {
  if (option !== '--device') return VALUES[option] ?? [];
  const items = /^(?:[0-9]+:[0-9]+|[^:]+):(?:.*,)?/.exec(current);
  if (items === null) return ['cpu'];
  return [...USES, ...limitNames].map((item) => items[0] + item);
}
