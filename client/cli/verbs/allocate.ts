import type { Allocation } from '../../allocation.js';
import type { Broker } from '../../broker.js';
import type { Arguments } from '../arguments.js';
import { untilEnough } from '../hold.js';
import { memoryNames } from '../memory-names.js';
import { REQUEST_NOTES, REQUEST_OPTIONS, readRequest } from '../request-options.js';
import { INHERITED, runCommand } from '../run-command.js';
import { EXIT, UsageError } from '../usage.js';
import type { Context, Verb } from '../verb.js';
import { layoutPairs } from '../words.js';

export const allocate: Verb = {
  name: 'allocate',
  summary: 'Allocate buffers that all the named devices can use, and hold them',
  takesCommand: true,
  options: [
    ...REQUEST_OPTIONS,
    { name: 'hold', value: 'SECONDS', text: 'how long; without it until Ctrl-C or the end of stdin' },
  ],
  notes: [
    ...REQUEST_NOTES,
    `With COMMAND, the buffers are held while it runs, and its exit code is passed on. ${INHERITED}` +
      ' DMABROKER_FDS says how many there are, DMABROKER_LAYOUT how they are laid out, in JSON.',
  ],
  async run(context, args) {
    const request = readRequest(args);
    const seconds = readHold(args);
    const broker = await context.connect();
    const allocation = await broker.allocate(request.devices, request.buffer);
    broker.on('lost', () => {
      context.warn(
        'The daemon was started anew without its records: the buffers work, but nobody counts them.',
      );
    });
    try {
      if (args.rest !== undefined) return { command: await runCommand(args.rest, allocation, context.env) };
      await show(context, broker, allocation);
      await untilEnough(context, broker, seconds);
      return EXIT.done;
    } finally {
      await allocation.release();
    }
  },
};

function readHold(args: Arguments): number | undefined {
  const text = args.text('hold');
  if (text === undefined) return undefined;
  const seconds = Number(text);
  if (text === '' || !(seconds >= 0 && seconds <= LONGEST_HOLD))
    throw new UsageError(`--hold: not a time in seconds: '${text}'`);
  if (args.rest !== undefined) throw new UsageError('say either --hold or a command');
  return seconds;
}

async function show({ json, out }: Context, broker: Broker, { path, layout }: Allocation): Promise<void> {
  if (json) out.json({ path, layout });
  else out.pairs([['allocation', [path]], ...layoutPairs(layout, await memoryNames(broker))]);
}

/** Timers count milliseconds in 31 bits. */
const LONGEST_HOLD = Math.floor((2 ** 31 - 1) / 1000);
