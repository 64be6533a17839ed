import { parseArgs } from 'node:util';

import { GLOBAL_OPTIONS, type Option, type Shape } from './options.js';
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

  /** Of an option that may be repeated. */
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

/** Finds the verb: the first word that is neither an option nor an option's value. */
export function findVerb(argv: readonly string[]): CommandLine {
  for (let index = 0; index < argv.length; index++) {
    const word = argv[index] ?? '';
    if (word === '--') break;
    if (!word.startsWith('-')) {
      return { verb: word, others: [...argv.slice(0, index), ...argv.slice(index + 1)] };
    }
    if (GLOBAL_OPTIONS.some(({ name, value }) => value !== undefined && word === `--${name}`)) index++;
  }
  return { verb: undefined, others: argv };
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
    throw new UsageError(first, { cause: error });
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
  if (given.length > words.length) throw new UsageError(`what is '${given[words.length] ?? ''}' for?`);
}
