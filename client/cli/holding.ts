import { once } from 'node:events';
import { setTimeout as after } from 'node:timers/promises';
import { spawn } from 'node:child_process';
import { constants } from 'node:os';

import type { Allocation } from '../allocation.js';
import type { Broker } from '../broker.js';
import type { Arguments, Option } from './arguments.js';
import { toJson } from './json.js';
import { UsageError } from './usage.js';
import type { Context } from './verb.js';

/** Buffers that the program holds: for a time, until the person has seen enough, or while a command uses them. */

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
export async function runCommand(
  command: readonly string[],
  { buffers, layout }: Pick<Allocation, 'buffers' | 'layout'>,
  env: NodeJS.ProcessEnv,
): Promise<number> {
  const [program, ...args] = command;
  if (program === undefined) throw new UsageError('there is no command after --');
  const fds = buffers.flatMap((buffer) => buffer.fds.map(({ number }) => number));
  const child = spawn(program, args, {
    stdio: ['inherit', 'inherit', 'inherit', ...fds],
    env: {
      ...env,
      DMABROKER_FDS: String(fds.length),
      DMABROKER_LAYOUT: JSON.stringify(toJson(layout)),
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

/** What the help says of a command. */
export const COMMAND_NOTE =
  `With COMMAND, the buffers are held while it runs, and its exit code is passed on. The command inherits them from fd ${FIRST_FD}` +
  ' on. DMABROKER_FDS says how many there are, those of each buffer one after the other, DMABROKER_LAYOUT how they are' +
  ' laid out, in JSON.';

export const HOLD: Option = {
  name: 'hold',
  value: 'SECONDS',
  text: 'how long; without it until Ctrl-C or the end of stdin',
};

/** Timers count milliseconds in 31 bits. */
const MAX_HOLD_SECONDS = Math.floor((2 ** 31 - 1) / 1000);

/** @throws {UsageError} */
export function readHold(args: Arguments): number | undefined {
  const text = args.text('hold');
  if (text === undefined) return undefined;
  const seconds = Number(text);
  if (text === '' || !(seconds >= 0 && seconds <= MAX_HOLD_SECONDS))
    throw new UsageError(`--hold: not a time in seconds: '${text}'`);
  if (args.rest !== undefined) throw new UsageError('say either --hold or a command');
  return seconds;
}

/**
 * Waits until the person has seen enough: so many seconds, or Ctrl-C, or the end of stdin.
 * @throws {DmabrokerError} NoBus when the connection ends meanwhile, and the allocation with it
 */
export async function untilEnough(
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
