import { PassThrough } from 'node:stream';
import { fileURLToPath } from 'node:url';

import { run } from '../../../client/cli/run.js';

/** What a run of the program left behind. */
export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ProgramOptions {
  readonly env?: NodeJS.ProcessEnv;
  /** Columns of the terminal that stdout is; a pipe when absent. */
  readonly columns?: number;
  readonly stop?: AbortSignal;
  /** Whether systemd is the init system; it is when absent. */
  readonly hasSystemd?: boolean;
  /** Text on stdin; it ends after it. Without it, stdin stays open. */
  readonly stdin?: string;
  /** Called with all that was written so far, whenever it is more. */
  readonly onOutput?: (stdout: string, stderr: string) => void;
}

const SHIPPED = fileURLToPath(new URL('../../../policy', import.meta.url));

/** Runs dmabrokerctl in this process. */
export async function dmabrokerctl(argv: readonly string[], options: ProgramOptions = {}): Promise<Ran> {
  const { columns, env = {}, stop = new AbortController().signal } = options;
  let [stdout, stderr] = ['', ''];
  const stdin = new PassThrough();
  if (options.stdin !== undefined) stdin.end(options.stdin);
  const code = await run({
    argv,
    env,
    stdin,
    stdout: {
      ...(columns !== undefined && { isTTY: true, columns }),
      write: (text) => {
        stdout += text;
        options.onOutput?.(stdout, stderr);
      },
    },
    stderr: {
      write: (text) => {
        stderr += text;
        options.onOutput?.(stdout, stderr);
      },
    },
    stop,
    version: '9.8.7',
    hasSystemd: options.hasSystemd ?? true,
    shipped: SHIPPED,
  });
  return { code, stdout, stderr };
}
