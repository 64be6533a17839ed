import { USES } from '../../dbus/names.js';
import { findVerb, isGroup } from './arguments.js';
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
  const names = verbs.map((each) => each.name);
  const { verb: name } = findVerb(words, names);
  const verb = verbs.find((each) => each.name === name);
  const options = [...GLOBAL_OPTIONS, ...(verb?.options ?? [])];
  const last = words.at(-1) ?? '';
  const candidates = takesValue(options, last)
    ? valuesOf(last, current)
    : [...nextWords(names, name), ...options.map((each) => `--${each.name}`)];
  return candidates.filter((candidate) => candidate.startsWith(current));
}

/** The words of verbs that may follow: the first ones where there is none, the second ones of a group. */
function nextWords(names: readonly string[], name: string | undefined): readonly string[] {
  if (name === undefined) return [...new Set(names.map((each) => each.split(' ')[0] ?? each))];
  return isGroup(name, names)
    ? names.filter((each) => each.startsWith(`${name} `)).map((each) => each.slice(name.length + 1))
    : [];
}

const takesValue = (options: readonly Option[], word: string): boolean =>
  options.some(({ name, value }) => value !== undefined && word === `--${name}`);

function valuesOf(option: string, current: string): readonly string[] {
  if (option !== '--device') return VALUES[option] ?? [];
  const items = /^(?:[0-9]+:[0-9]+|[^:]+):(?:.*,)?/.exec(current);
  if (items === null) return ['cpu'];
  return [...USES, ...limitNames].map((item) => items[0] + item);
}
