import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

import { endChild } from '../harness/private-bus.js';

/** The C client that measures (`c/load.c` says what it can do). */
export class Load implements AsyncDisposable {
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #lines: AsyncIterator<string>;
  #complaints = '';

  /** @param program compiled from `c/load.c` */
  constructor(program: string, address: string) {
    this.#child = spawn(program, [address], { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child.stderr.on('data', (chunk: Buffer) => {
      this.#complaints += chunk.toString();
    });
    // Whoever writes to a client that ended learns it from the answer that does not come.
    this.#child.stdin.on('error', () => undefined);
    this.#lines = createInterface(this.#child.stdout)[Symbol.asyncIterator]();
  }

  /** Process id. */
  get pid(): number {
    const { pid } = this.#child;
    if (pid === undefined) throw new Error('the client did not start');
    return pid;
  }

  /** @returns nanoseconds of each round that the command made @throws {Error} when the client ended */
  async run(command: string): Promise<readonly number[]> {
    this.#child.stdin.write(`${command}\n`);
    const line = await this.#lines.next();
    if (line.done === true) {
      if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, 'close');
      throw new Error(`the client ended at "${command}": ${this.#complaints}`);
    }
    return line.value.trim() === '' ? [] : line.value.trim().split(' ').map(Number);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await endChild(this.#child);
  }
}

/** The value that so much of the values lies below: 0.5 is the median. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}
