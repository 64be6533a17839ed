import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { onTestFailed } from 'vitest';

import { connectBus, getCredentials } from '../../dbus/connection/bus.js';
import { BusCallError, BusClosedError, type Bus } from '../../dbus/connection/bus-types.js';
import { BUS_NAME } from '../../dbus/names.js';
import type { FdStore } from './fd-store.js';
import { openFds } from './leaks.js';
import type { PrivateBus } from './private-bus.js';
import { spawnDaemon } from './spawn-daemon.js';

export interface DaemonOptions {
  readonly bus: PrivateBus | string;
  /** Options after `--bus ADDRESS`. */
  readonly args?: readonly string[];
  /** Added to the environment of the test; a variable that is undefined is taken away. */
  readonly env?: NodeJS.ProcessEnv;
  /** Keeps the daemon's descriptors, and hands it what it has. */
  readonly store?: FdStore;
  /** The daemon's program; that of the build when absent. */
  readonly program?: string;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** The built daemon (`npm run build`), running and owning its name. */
export interface RunningDaemon extends AsyncDisposable {
  readonly pid: number;
  /** Settles when the process is gone; never rejects. */
  readonly exited: Promise<Exit>;
  /** What it wrote so far, to stdout and stderr. */
  log(): string;
  /** How many descriptors it has open now. */
  fdCount(): number;
  /** SIGTERM, then waits for the end. */
  stop(): Promise<Exit>;
  /** SIGKILL, then waits for the end. */
  kill(): Promise<Exit>;
}

const PROGRAM = fileURLToPath(new URL('../../dist/daemon/main.js', import.meta.url));

/**
 * Starts the daemon and waits until it owns org.dmabroker1. Its log is printed when the test fails.
 * @throws {Error} with the log, when it ends before
 */
export async function startDaemon({
  bus,
  args = [],
  env = {},
  store,
  program = PROGRAM,
}: DaemonOptions): Promise<RunningDaemon> {
  if (!existsSync(program)) throw new Error('the daemon is not built: npm run build');
  const address = typeof bus === 'string' ? bus : bus.address;
  const watch = await watchName(address);
  const child = spawnDaemon([program, '--bus', address, ...args], { ...process.env, ...env }, store);
  const daemon = new DaemonProcess(child);
  printLogOnFailure(daemon);
  try {
    await Promise.race([watch.ownedBy(daemon.pid), daemon.exited]);
    if (daemon.running) return daemon;
    throw new Error(`the daemon ended before it owned ${BUS_NAME}:\n${daemon.log()}`);
  } finally {
    await watch.close();
  }
}

class DaemonProcess implements RunningDaemon {
  readonly pid: number;
  readonly exited: Promise<Exit>;
  readonly #child: ChildProcess;
  #log = '';
  readonly #onExit = (): void => {
    this.#child.kill('SIGKILL');
  };

  constructor(child: ChildProcess) {
    this.#child = child;
    if (child.pid === undefined) throw new Error('node did not start');
    this.pid = child.pid;
    process.once('exit', this.#onExit);
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) => {
        this.#log += chunk.toString();
      });
    this.exited = new Promise((resolve) => {
      // `close` comes when the last output was read, so that the log is whole by then.
      child.once('close', (code, signal) => {
        process.off('exit', this.#onExit);
        resolve({ code, signal });
      });
    });
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  log(): string {
    return this.#log;
  }

  fdCount(): number {
    return openFds(this.pid).size;
  }

  async stop(): Promise<Exit> {
    if (this.running) this.#child.kill('SIGTERM');
    return this.exited;
  }

  async kill(): Promise<Exit> {
    if (this.running) this.#child.kill('SIGKILL');
    return this.exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

interface NameWatch {
  /** Settles when a process owns the name. */
  ownedBy(pid: number): Promise<void>;
  close(): Promise<void>;
}

/** Watches who owns the name; with `--replace` the first owner need not be the one that was started. */
async function watchName(address: string): Promise<NameWatch> {
  const bus = await connectBus(address);
  const owners: string[] = [];
  let wake = (): void => undefined;
  const rule = `type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',arg0='${BUS_NAME}'`;
  await bus.listen(
    rule,
    ({ sender, member, body }) =>
      sender === 'org.freedesktop.DBus' && member === 'NameOwnerChanged' && body[0] === BUS_NAME,
    ({ body: [, , owner] }) => {
      if (typeof owner === 'string' && owner !== '') owners.push(owner);
      wake();
    },
  );
  return {
    ownedBy: async (pid) => {
      for (;;) {
        for (const owner of owners.splice(0)) if ((await pidOf(bus, owner)) === pid) return;
        if (owners.length === 0)
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
      }
    },
    close: async () => bus.close(),
  };
}

async function pidOf(bus: Bus, owner: string): Promise<number | undefined> {
  try {
    return (await getCredentials(bus, owner)).pid;
  } catch (error) {
    // Gone again, or our own connection was closed because the daemon ended.
    if (error instanceof BusCallError || error instanceof BusClosedError) return undefined;
    throw error;
  }
}

function printLogOnFailure(daemon: RunningDaemon): void {
  try {
    onTestFailed(() => {
      process.stderr.write(`--- log of the daemon (pid ${daemon.pid}):\n${daemon.log()}---\n`);
    });
  } catch {
    // Started outside of a test, by a hook: vitest knows no test that could fail.
  }
}
