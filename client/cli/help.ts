import { GLOBAL_OPTIONS, type Option } from './options.js';
import { formatTable, wrap } from './table.js';
import type { Verb } from './verb.js';

const COLUMNS = [{ title: '' }, { title: '' }, { title: '', wraps: true }];

/** What `dmabrokerctl --help` says. */
export const programHelp = (verbs: readonly Verb[], width: number): readonly string[] => [
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
export const verbHelp = (verb: Verb, width: number): readonly string[] => [
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
