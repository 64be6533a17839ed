import { USES } from '../../dbus/names.js';
import { findVerb, isGroup, GLOBAL_OPTIONS, type Option } from './arguments.js';
import { limitNames } from './device-argument.js';
import type { Verb } from './verb.js';

/** What there is at the broker that can be named; nothing where it cannot be asked. */
export interface Names {
  pools(): Promise<readonly string[]>;
  allocations(): Promise<readonly string[]>;
  devices(): Promise<readonly string[]>;
}

/** Values of options that are known without asking anybody. */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  '--bus': ['system', 'session'],
  '--modifier': ['LINEAR'],
  '--invite': ['must', 'may', 'late'],
};

/** Operands that are names of files, which the shell completes: nothing else may stand there but an option. */
const FILES: readonly string[] = ['FILE', 'PROFILE'];

/**
 * What could stand where a person asks a shell to complete.
 * @param words what stands before, without the program's name
 * @param current the word so far
 * @returns whole words that begin with it; none where a shell should offer files
 */
export async function complete(
  words: readonly string[],
  current: string,
  verbs: readonly Verb[],
  names: Names,
): Promise<readonly string[]> {
  if (words.includes('--')) return [];
  const all = verbs.map((each) => each.name);
  const { verb: name, others } = findVerb(words, all);
  const verb = verbs.find((each) => each.name === name);
  const options = [...GLOBAL_OPTIONS, ...(verb?.options ?? [])];
  const last = words.at(-1) ?? '';
  const candidates = takesValue(options, last)
    ? await valuesOf(last, current, names)
    : await wordsOf({
        options,
        current,
        names,
        first: nextWords(all, name),
        operand: operandOf(verb, others),
      });
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

/** What the operand is called whose turn it is: `POOL`, `PROFILE`; undefined when there is none left. */
function operandOf(verb: Verb | undefined, others: readonly string[]): string | undefined {
  const options = [...GLOBAL_OPTIONS, ...(verb?.options ?? [])];
  const given = others.filter(
    (word, index) => !word.startsWith('-') && !takesValue(options, others[index - 1] ?? ''),
  );
  const shape = (verb?.operands ?? '').split(' ').filter((word) => word !== '');
  const turn = shape[given.length] ?? (shape.at(-1)?.includes('…') === true ? shape.at(-1) : undefined);
  return turn?.replaceAll(/[^A-Z]/g, '');
}

interface Place {
  readonly options: readonly Option[];
  readonly current: string;
  readonly names: Names;
  /** Words of verbs that may stand here. */
  readonly first: readonly string[];
  readonly operand: string | undefined;
}

async function wordsOf({ options, current, names, first, operand }: Place): Promise<readonly string[]> {
  const flags = options.map((each) => `--${each.name}`);
  if (operand === undefined || current.startsWith('-')) return [...first, ...flags];
  if (FILES.includes(operand)) return [];
  return [...(await operandsOf(operand, names)), ...(current === '' ? flags : [])];
}

async function operandsOf(operand: string, names: Names): Promise<readonly string[]> {
  if (operand === 'POOL') return names.pools();
  if (operand === 'ALLOCATION') return names.allocations();
  return operand === 'DEVICE' ? names.devices() : [];
}

async function valuesOf(option: string, current: string, names: Names): Promise<readonly string[]> {
  if (option !== '--device' && option !== '--or') return VALUES[option] ?? [];
  const items = /^(?:[0-9]+:[0-9]+|[^:]+):(?:.*,)?/.exec(current);
  if (items === null) return [...new Set(['cpu', ...(await names.devices())])];
  return [...USES, ...limitNames].map((item) => items[0] + item);
}
