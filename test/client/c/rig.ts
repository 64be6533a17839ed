import { execFile, spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { ensure } from '../../tools/ensure.mjs';

const run = promisify(execFile);

export const LIBRARY = fileURLToPath(new URL('../../../client/c/', import.meta.url));
const PROGRAMS = fileURLToPath(new URL('programs/', import.meta.url));

/** Whether what compiles the library is there. */
export const hasCompiler = ensure(['gcc', 'libsystemd-dev', 'linux-libc-dev'], { optional: true });
export const hasValgrind = ensure(['gcc', 'libsystemd-dev', 'linux-libc-dev', 'valgrind'], {
  optional: true,
});

const STRICT = ['-std=c11', '-g', '-D_GNU_SOURCE', '-Wall', '-Wextra', '-Wpedantic', '-Wshadow', '-Werror'];
const SANITIZED = ['-fsanitize=address,undefined', '-fno-sanitize-recover=undefined'];

/** What watches over memory: the compiler's sanitizers, valgrind, or nothing. */
export type Watch = 'sanitizers' | 'valgrind';

/**
 * Compiles programs of `programs/` with the library in them.
 * @returns the path of each
 */
export async function compile<Name extends string>(
  directory: string,
  watch: Watch,
  names: readonly Name[],
): Promise<Readonly<Record<Name, string>>> {
  const flags = [...STRICT, ...(watch === 'sanitizers' ? SANITIZED : []), `-I${LIBRARY}`];
  const library = join(directory, `libdmabroker-${watch}.so`);
  const sources = readdirSync(LIBRARY).filter((name) => name.endsWith('.c'));
  const visible = ['-fPIC', '-fvisibility=hidden', '-shared'];
  await run('gcc', [
    ...flags,
    ...visible,
    '-o',
    library,
    ...sources.map((name) => LIBRARY + name),
    '-lsystemd',
  ]);
  const paths: Partial<Record<Name, string>> = {};
  for (const name of names) {
    const program = join(directory, `${name}-${watch}`);
    await run('gcc', [...flags, '-o', program, `${PROGRAMS}${name}.c`, library]);
    paths[name] = program;
  }
  return paths as Record<Name, string>;
}

/** How a program is started so that a leak, or an access where there is nothing, is an exit code or a line on stderr. */
export function command(program: string, watch: Watch): readonly [string, ...string[]] {
  const options = [
    '--quiet',
    '--leak-check=full',
    '--errors-for-leak-kinds=definite,possible',
    '--error-exitcode=99',
  ];
  return watch === 'valgrind' ? ['valgrind', ...options, program] : [program];
}

/** Errors of the system by name, as the library gives them. */
export interface Answer {
  readonly result: number;
  readonly text: string;
}

/** `programs/driver.c`, which does what it is told and answers. */
export class Driver implements AsyncDisposable {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;
  #stderr = '';
  readonly #ended: Promise<unknown>;

  constructor(program: string, watch: Watch = 'sanitizers', env: NodeJS.ProcessEnv = {}) {
    const [first, ...rest] = command(program, watch);
    this.#child = spawn(first, rest, { env: { ...process.env, ...env } });
    this.#ended = once(this.#child, 'close');
    this.#lines = createInterface(this.#child.stdout)[Symbol.asyncIterator]();
    this.#child.stderr.on('data', (chunk: Buffer) => {
      this.#stderr += chunk.toString();
    });
  }

  /** Does not wait for the answer, which `answer` gives. */
  tell(line: string): void {
    this.#child.stdin.write(`${line}\n`);
  }

  async answer(): Promise<Answer> {
    const line = await this.#lines.next();
    if (line.done === true) throw new Error(`the program ended: ${this.#stderr}`);
    const at = line.value.indexOf(' ');
    return at < 0
      ? { result: Number(line.value), text: '' }
      : { result: Number(line.value.slice(0, at)), text: line.value.slice(at + 1) };
  }

  async ask(line: string): Promise<Answer> {
    this.tell(line);
    return this.answer();
  }

  /** Asks several things that must not be refused; gives the last answer. */
  async all(...lines: readonly string[]): Promise<Answer> {
    let answer: Answer = { result: 0, text: '' };
    for (const line of lines) {
      answer = await this.ask(line);
      if (answer.result < 0) throw new Error(`${line}: ${answer.result} ${answer.text}`);
    }
    return answer;
  }

  /** Ends the program, and throws what the sanitizers or valgrind have against it. */
  async end(): Promise<void> {
    this.#child.stdin.end();
    await this.#ended;
    const { exitCode, signalCode } = this.#child;
    if (exitCode !== 0 || this.#stderr !== '')
      throw new Error(`it ended with ${exitCode ?? signalCode ?? ''}: ${this.#stderr}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await this.end();
  }
}

/** DMABROKER_USE_READ and DMABROKER_USE_WRITE. */
export const READ_WRITE = 384;
