import { parseArgs } from 'node:util';

import { didYouMean, nearest } from '../../daemon/policy/suggest.js';
import { UsageError } from './usage.js';

/** What stands after a verb, read by the verb's own options. */
export class Arguments {
  readonly #values: Readonly<Record<string, unknown>>;
  readonly operands: readonly string[];
  /** What follows `--`; undefined without it. */
  readonly rest: readonly string[] | undefined;

  constructor(
    values: Readonly<Record<string, unknown>>,
    operands: readonly string[],
    rest: readonly string[] | undefined,
  ) {
    this.#values = values;
    this.operands = operands;
    this.rest = rest;
  }

  flag(name: string): boolean {
    return this.#values[name] === true;
  }

  text(name: string): string | undefined {
    const value = this.#values[name];
    return typeof value === 'string' ? value : undefined;
  }

  /** The values of an option that may be repeated. */
  texts(name: string): readonly string[] {
    const value = this.#values[name];
    return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];
  }
}

/** A command line, taken apart: `verb` is undefined when there is none. */
export interface CommandLine {
  readonly verb: string | undefined;
  /** Everything but the verb. */
  readonly others: readonly string[];
}

/**
 * Finds the verb: the first word that is neither an option nor an option's value, or the first two where there are verbs
 * of two words that begin with it.
 * @param names of all verbs
 */
export function findVerb(argv: readonly string[], names: readonly string[]): CommandLine {
  const first = nextWord(argv, 0);
  const word = first === undefined ? undefined : argv[first];
  if (first === undefined || word === undefined) return { verb: undefined, others: argv };
  const second = isGroup(word, names) ? nextWord(argv, first + 1) : undefined;
  return {
    verb: second === undefined ? word : `${word} ${argv[second] ?? ''}`,
    others: argv.filter((_, index) => index !== first && index !== second),
  };
}

/** Whether a word alone is only the beginning of verbs: `policy` of `policy show`. */
export const isGroup = (word: string, names: readonly string[]): boolean =>
  names.some((name) => name.startsWith(`${word} `));

function nextWord(argv: readonly string[], from: number): number | undefined {
  for (let index = from; index < argv.length; index++) {
    const word = argv[index] ?? '';
    if (word === '--') return undefined;
    if (!word.startsWith('-')) return index;
    if (GLOBAL_OPTIONS.some(({ name, value }) => value !== undefined && word === `--${name}`)) index++;
  }
  return undefined;
}

/** @throws {UsageError} */
export function parseArguments(words: readonly string[], options: readonly Option[]): Arguments {
  const end = words.indexOf('--');
  const args = end < 0 ? words : words.slice(0, end);
  const shapes = options.map(
    ({ name, value, repeats = false }): [string, { type: 'boolean' | 'string'; multiple: boolean }] => [
      name,
      { type: value === undefined ? 'boolean' : 'string', multiple: repeats },
    ],
  );
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: Object.fromEntries(shapes),
      allowPositionals: true,
    });
    return new Arguments(values, positionals, end < 0 ? undefined : words.slice(end + 1));
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    const [first = ''] = error.message.split(/\.\s|\n/);
    const [, unknown] = /^Unknown option '-{1,2}([^']+)'/.exec(first) ?? [];
    const meant =
      unknown === undefined
        ? undefined
        : nearest(
            unknown,
            shapes.map(([name]) => name),
          );
    throw new UsageError(first + didYouMean(meant && `--${meant}`), { cause: error });
  }
}

/** @throws {UsageError} when there are more or fewer operands than the verb's help says */
export function checkOperands(
  { operands, rest = [] }: Arguments,
  { operands: shape = '', takesCommand }: Shape,
): void {
  const words = shape.split(' ').filter((word) => word !== '');
  const needed = words.filter((word) => !word.startsWith('[')).length;
  const given = takesCommand === true ? operands : [...operands, ...rest];
  if (given.length < needed) throw new UsageError(`${words[given.length] ?? ''} is missing`);
  // The last may be any number of them: `[FILE…]`.
  if (shape.includes('…')) return;
  if (given.length > words.length) throw new UsageError(`what is '${given[words.length] ?? ''}' for?`);
}

/** An option: a flag, or with `value` (its name in the help) one that takes a value. */
export interface Option {
  readonly name: string;
  readonly value?: string;
  readonly repeats?: boolean;
  readonly text: string;
}

/** What may stand after a verb. */
export interface Shape {
  /** Operands as the help shows them: `POOL BYTES`, `[DEVICE]`. */
  readonly operands?: string;
  /** Whether a command may follow after `--`. */
  readonly takesCommand?: boolean;
  readonly options?: readonly Option[];
}

/** Options that stand before or after any verb. */
export const GLOBAL_OPTIONS: readonly Option[] = [
  { name: 'bus', value: 'BUS', text: 'system (the default), session, or a D-Bus address' },
  { name: 'json', text: 'write JSON, the form that does not change' },
  { name: 'help', text: 'explain, and do nothing; so do -h, help, and help VERB' },
  { name: 'version', text: 'say the version, and do nothing' },
];
