import { once } from 'node:events';
import type { ChildProcess } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import type { FdStore } from '../harness/fd-store.js';
import { endChild } from '../harness/private-bus.js';
import { spawnDaemon } from '../harness/spawn-daemon.js';

/** Where this file is dist/test/kill/supervised.js. */
const PROGRAM = fileURLToPath(new URL('../../daemon/main.js', import.meta.url));

export interface SupervisedOptions {
  readonly store: FdStore;
  readonly args: readonly string[];
  /** File that everything the daemon writes is added to. */
  readonly log: string;
}

/** A daemon that is started again whenever it was killed, with the descriptors that were kept for it. */
export class Supervised implements AsyncDisposable {
  readonly #options: SupervisedOptions;
  #child: ChildProcess | undefined;

  constructor(options: SupervisedOptions) {
    this.#options = options;
  }

  pid(): number {
    const pid = this.#child?.pid;
    if (pid === undefined) throw new Error('the daemon does not run');
    return pid;
  }

  /** Returns when it says that it is ready. @throws {Error} when it ends before */
  async start(): Promise<void> {
    const { store, args, log } = this.#options;
    const child = spawnDaemon([PROGRAM, ...args], process.env, store);
    this.#child = child;
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) => {
        appendFileSync(log, chunk);
      });
    const ended = once(child, 'exit').then(() => 'ended');
    if ((await Promise.race([store.next('READY=1'), ended])) === 'ended')
      throw new Error(`the daemon ended at its start; its log is ${log}`);
  }

  /** The exit code, when it has ended by itself. */
  async ended(): Promise<number | null> {
    const child = this.#child;
    if (child === undefined) throw new Error('the daemon does not run');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    return child.exitCode;
  }

  async kill(): Promise<void> {
    if (this.#child !== undefined) await endChild(this.#child, 'SIGKILL');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child !== undefined) await endChild(this.#child);
  }
}
