import { spawn } from 'node:child_process';
import { once } from 'node:events';

import { expect } from 'vitest';

import { endChild } from './private-bus.js';

export interface TerminalOptions {
  readonly columns: number;
  readonly rows: number;
  readonly env?: NodeJS.ProcessEnv;
}

/** A program in a terminal of its own. */
export interface Terminal extends AsyncDisposable {
  /** Process id of the program. */
  readonly pid: number;
  /** What it wrote since it began, line ends as the terminal makes them. */
  output(): string;
  /** Types keys. */
  type(keys: string): void;
  /** Waits until what it wrote looks like this. */
  shows(pattern: RegExp): Promise<void>;
  /** Its exit code; `modes` says whether the terminal is set as it was before. */
  readonly exited: Promise<{ readonly code: number; readonly modes: 'as before' | 'changed' }>;
}

/** Runs in sh: how the terminal is set, before and after. */
const SCRIPT = `stty cols "$COLUMNS_" rows "$ROWS_"
before=$(stty -g)
sh -c 'echo "[pid $$]"; exec "$@"' sh "$@"
code=$?
if [ "$before" = "$(stty -g)" ]; then echo "[modes as before]"; else echo "[modes changed]"; fi
exit $code`;

/** @param argv the program and its arguments. Needs script(1), which makes the pseudo terminal */
export async function startInTerminal(
  argv: readonly string[],
  { columns, rows, env = {} }: TerminalOptions,
): Promise<Terminal> {
  const command = ['sh', '-c', SCRIPT, 'sh', ...argv].map(shellWord).join(' ');
  const child = spawn('script', ['--quiet', '--return', '--command', command, '/dev/null'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: {
      ...process.env,
      ...{ TERM: 'xterm', NO_COLOR: undefined, COLUMNS_: String(columns), ROWS_: String(rows) },
      ...env,
    },
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  const ended = once(child, 'close');
  const shows = async (pattern: RegExp): Promise<void> => {
    await expect.poll(() => output, { timeout: 15_000, interval: 20 }).toMatch(pattern);
  };
  await shows(/\[pid \d+\]/);
  return {
    pid: Number(/\[pid (\d+)\]/.exec(output)?.[1]),
    output: () => output,
    type: (keys) => {
      child.stdin.write(keys);
    },
    shows,
    exited: ended.then(([code]: unknown[]) => ({
      code: Number(code),
      modes: output.includes('[modes as before]') ? 'as before' : 'changed',
    })),
    [Symbol.asyncDispose]: () => endChild(child),
  };
}

const shellWord = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;
