import { spawn } from 'node:child_process';
import { constants } from 'node:os';

import type { Allocation } from '../allocation.js';
import { toJson } from './json.js';
import { UsageError } from './usage.js';

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
  allocation: Allocation,
  env: NodeJS.ProcessEnv,
): Promise<number> {
  const [program, ...args] = command;
  if (program === undefined) throw new UsageError('there is no command after --');
  const fds = allocation.buffers.map(({ fd }) => fd.number);
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
export const INHERITED = `The command inherits the buffers from fd ${FIRST_FD} on.`;
