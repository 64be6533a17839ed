import { once } from 'node:events';
import { setTimeout as after } from 'node:timers/promises';
import { spawn } from 'node:child_process';
import { constants } from 'node:os';

import type { Allocation } from '../../allocation.js';
import type { Broker } from '../../broker.js';
import type { Arguments } from '../arguments.js';
import { memoryNames } from '../memory-names.js';
import { REQUEST_NOTES, REQUEST_OPTIONS, readRequest } from '../request-options.js';
import { EXIT, UsageError } from '../usage.js';
import type { Context, Verb } from '../verb.js';
import { layoutPairs } from '../value-text.js';
import { toJson } from '../json.js';

/** The first fd after stdin, stdout and stderr. */
const FIRST_FD = 3;

/** Added to a signal's number, as shells do. */
const BY_SIGNAL = 128;

/**
 * Runs a command that inherits the buffers, from fd 3 on; `DMABROKER_FDS` says how many, `DMABROKER_LAYOUT` in JSON how
 * they are laid out.
 * @returns what the command ended with
 * @throws {UsageError} when it cannot be started
 */
async function runCommand(
  command: readonly string[],
  allocation: Allocation,
  env: NodeJS.ProcessEnv,
): Promise<number> {
  const [program, ...args] = command;
  if (program === undefined) throw new UsageError('there is no command after --');
  const fds = allocation.buffers.flatMap((buffer) => buffer.fds.map(({ number }) => number));
  const child = spawn(program, args, {
    stdio: ['inherit', 'inherit', 'inherit', ...fds],
    env: {
      ...env,
      DMABROKER_FDS: String(fds.length),
      DMABROKER_LAYOUT: JSON.stringify(toJson(allocation.layout)),
    },
  });
  return new Promise((resolve, reject) => {
    child.once('error', (cause) => {
      reject(new UsageError(`${program} cannot be started: ${cause.message}`, { cause }));
    });
    child.once('close', (code, signal) => {
      resolve(code ?? BY_SIGNAL + (signal === null ? 0 : constants.signals[signal]));
    });
  });
}

/** The number that `FIRST_FD` stands for, in words of the help. */
const INHERITED = `The command inherits the buffers from fd ${FIRST_FD} on.`;

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
      ' DMABROKER_FDS says how many there are, those of each buffer one after the other, DMABROKER_LAYOUT how they are' +
      ' laid out, in JSON.',
  ],
  async run(context, args) {
    const request = readRequest(args);
    const seconds = readHold(args);
    const broker = await context.connect();
    const allocation = await broker.allocate(request.devices, request.buffer);
    broker.on('lost', () => {
      context.warn(
        'The daemon was restarted without its records: the buffers still work, but they are not counted.',
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
  if (text === '' || !(seconds >= 0 && seconds <= MAX_HOLD_SECONDS))
    throw new UsageError(`--hold: not a time in seconds: '${text}'`);
  if (args.rest !== undefined) throw new UsageError('say either --hold or a command');
  return seconds;
}

async function show({ json, out }: Context, broker: Broker, { path, layout }: Allocation): Promise<void> {
  if (json) out.json({ path, layout });
  else out.pairs([['allocation', [path]], ...layoutPairs(layout, await memoryNames(broker))]);
}

/** Timers count milliseconds in 31 bits. */
const MAX_HOLD_SECONDS = Math.floor((2 ** 31 - 1) / 1000);

/**
 * Waits until the person has seen enough: so many seconds, or Ctrl-C, or the end of stdin.
 * @throws {DmabrokerError} NoBus when the connection ends meanwhile, and the allocation with it
 */
async function untilEnough(
  { stdin, stop }: Context,
  broker: Broker,
  seconds: number | undefined,
): Promise<void> {
  const done = new AbortController();
  const signal = AbortSignal.any([stop, done.signal]);
  const gone = once(broker, 'closed', { signal }).then(([error]: unknown[]) => {
    throw error;
  });
  try {
    await Promise.race([
      gone,
      seconds === undefined ? endOf(stdin, signal) : after(seconds * 1000, undefined, { signal }),
    ]);
  } catch (error) {
    if (!stop.aborted) throw error;
  } finally {
    done.abort();
    await gone.catch(() => undefined);
  }
}

async function endOf(stdin: Context['stdin'], signal: AbortSignal): Promise<void> {
  stdin.resume();
  try {
    await once(stdin, 'end', { signal });
  } finally {
    stdin.destroy();
  }
}
