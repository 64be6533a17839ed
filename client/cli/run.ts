import { didYouMean, nearest } from '../../daemon/policy/suggest.js';
import type { Broker } from '../broker.js';
import { connect } from '../connect.js';
import { DmabrokerError } from '../errors.js';
import {
  checkOperands,
  findVerb,
  isGroup,
  parseArguments,
  type Arguments,
  GLOBAL_OPTIONS,
  type Option,
} from './arguments.js';
import { absenceText } from './absence.js';
import { Output, type Sink } from './output.js';
import { printable, formatTable, wrap } from './table.js';
import { EXIT, UsageError } from './usage.js';
import type { Context, Input, Verb } from './verb.js';
import { ALL_VERBS, VERBS } from './verbs/index.js';

/** What the program has of the world around it. */
export interface Surroundings {
  readonly argv: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly stdin: Input;
  readonly stdout: Sink;
  readonly stderr: Sink;
  /** Ctrl-C and the like. */
  readonly stop: AbortSignal;
  readonly version: string;
  /** Whether systemd is the init system. */
  readonly hasSystemd: boolean;
  /** The package's own policy directory, which stands in for a vendor's. */
  readonly shipped: string;
}

/** Columns of a help text where the terminal does not say how many there are. */
const HELP_COLUMNS = 80;

/** Runs dmabrokerctl. @returns the exit code */
export async function run(surroundings: Surroundings): Promise<number> {
  const warn = (text: string): void => {
    surroundings.stderr.write(`${printable(text)}\n`);
  };
  const names = ALL_VERBS.map((each) => each.name);
  const { verb: name, others } = findVerb(askingForHelp(surroundings.argv), names);
  const verb = ALL_VERBS.find((each) => each.name === name);
  const group = name !== undefined && isGroup(name, names);
  // What may be meant: of a group, its verbs.
  const verbs = group ? VERBS.filter((each) => each.name.startsWith(`${name} `)) : VERBS;
  try {
    if (name !== undefined && verb === undefined && !group)
      throw new UsageError(`there is no verb '${name}'${verbMeant(name)}`);
    const args = parseArguments(others, [...GLOBAL_OPTIONS, ...(verb?.options ?? [])]);
    if (args.flag('help') || args.flag('version')) {
      const width = surroundings.stdout.columns ?? HELP_COLUMNS;
      const help = verb === undefined ? programHelp(verbs, width) : verbHelp(verb, width);
      surroundings.stdout.write(
        `${(args.flag('help') ? help : [`dmabrokerctl ${surroundings.version}`]).join('\n')}\n`,
      );
      return EXIT.done;
    }
    if (verb === undefined)
      throw new UsageError(`say what to do: ${verbs.map((each) => each.name).join(', ')}`);
    checkOperands(args, verb);
    return await runVerb(verb, args, surroundings, warn);
  } catch (error) {
    if (error instanceof UsageError) {
      warn(`dmabrokerctl: ${error.message}`);
      warn(`dmabrokerctl ${verb === undefined ? '' : `${verb.name} `}--help says more.`);
      return EXIT.wrongUse;
    }
    if (!(error instanceof DmabrokerError)) throw error;
    const absent = absenceText(error, surroundings);
    warn(`dmabrokerctl: ${absent ?? error.message}`);
    return absent === undefined ? EXIT.refused : EXIT.noDaemon;
  }
}

async function runVerb(
  verb: Verb,
  args: Arguments,
  surroundings: Surroundings,
  warn: Context['warn'],
): Promise<number> {
  let broker: Promise<Broker> | undefined;
  const context: Context = {
    out: new Output(surroundings.stdout, surroundings.env),
    json: args.flag('json'),
    env: surroundings.env,
    shipped: surroundings.shipped,
    stdin: surroundings.stdin,
    stop: surroundings.stop,
    connect: (options) => {
      const bus = args.text('bus');
      return (broker ??= connect({ channel: false, ...options, ...(bus !== undefined && { bus }) }));
    },
    warn,
  };
  try {
    const result = await verb.run(context, args);
    return typeof result === 'number' ? result : result.command;
  } finally {
    await (await broker?.catch(() => undefined))?.close();
  }
}

/** `help VERB` and `-h` are other words for `--help`. */
function askingForHelp(argv: readonly string[]): readonly string[] {
  const end = argv.indexOf('--');
  const words = (end < 0 ? argv : argv.slice(0, end)).map((word) => (word === '-h' ? '--help' : word));
  const first = words.findIndex((word) => !word.startsWith('-'));
  const asked = words[first] === 'help' ? [...words.filter((_, index) => index !== first), '--help'] : words;
  return end < 0 ? asked : [...asked, ...argv.slice(end)];
}

const verbMeant = (name: string): string =>
  didYouMean(
    nearest(
      name,
      VERBS.map((each) => each.name),
    ),
  );

const COLUMNS = [{ title: '' }, { title: '' }, { title: '', wraps: true }];

/** What `dmabrokerctl --help` says. */
const programHelp = (verbs: readonly Verb[], width: number): readonly string[] => [
  'Usage: dmabrokerctl [--bus BUS] [--json] VERB …',
  '',
  'Asks the dma-buf broker.',
  '',
  'Verbs:',
  ...formatTable(
    COLUMNS,
    verbs.map(({ name, summary }) => ['', name, summary]),
    width,
  ),
  '',
  ...optionHelp(GLOBAL_OPTIONS, width),
  '',
  'dmabrokerctl VERB --help says more of a verb.',
];

/** What `dmabrokerctl VERB --help` says. */
const verbHelp = (verb: Verb, width: number): readonly string[] => [
  usage(verb),
  '',
  ...wrap(`${verb.summary}.`, width),
  ...(verb.options ? ['', ...optionHelp(verb.options, width)] : []),
  ...(verb.notes ?? []).flatMap((note) => ['', ...wrap(note, width)]),
];

const usage = ({ name, options, operands, takesCommand = false }: Verb): string =>
  [
    `Usage: dmabrokerctl ${name}`,
    ...(options === undefined ? [] : ['[OPTIONS]']),
    ...(operands === undefined ? [] : [operands]),
    ...(takesCommand ? ['[-- COMMAND …]'] : []),
  ].join(' ');

function optionHelp(options: readonly Option[], width: number): readonly string[] {
  const rows = options.map(({ name, value, repeats, text }) => [
    '',
    value === undefined ? `--${name}` : `--${name} ${value}`,
    repeats === true ? `${text} (may be repeated)` : text,
  ]);
  return ['Options:', ...formatTable(COLUMNS, rows, width)];
}
