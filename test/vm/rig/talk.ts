import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';

import { endChild } from '../../harness/private-bus.js';
import type { Person } from './run.js';

export interface TalkOptions {
  /** Who runs it; the caller when absent. */
  readonly person?: Person | undefined;
  /** A descriptor (borrowed) that is its descriptor 3. */
  readonly fd?: number;
}

/** A program that answers each line with a line. */
export class Talk implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #name: string;

  constructor(program: string, args: readonly string[], { person, fd }: TalkOptions = {}) {
    const more = fd === undefined ? [] : [fd];
    this.#child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit', ...more], ...person });
    this.#name = program;
    const { stdin, stdout } = this.#child;
    assert(stdin !== null && stdout !== null);
    // A program that ended shows it by the answer that does not come.
    stdin.on('error', () => undefined);
    this.#lines = createInterface(stdout)[Symbol.asyncIterator]();
  }

  /** @throws {AssertionError} when the program ended */
  async read(): Promise<string> {
    const line = await this.#lines.next();
    assert(line.done !== true, `${this.#name} ended`);
    return line.value;
  }

  ask(line: string): Promise<string> {
    this.#child.stdin?.write(`${line}\n`);
    return this.read();
  }

  /** Kills it. */
  async end(): Promise<void> {
    await endChild(this.#child, 'SIGKILL');
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.end();
  }
}
