import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { openSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { connect, type Broker } from '../../../client/index.js';
import { endChild, startBus, type PrivateBus } from '../../harness/private-bus.js';
import type { Person } from './run.js';

/** What a package has: few files, which an emulated processor loads sooner than the many of the build. */
const PROGRAM = fileURLToPath(new URL('../../../bundle/dmabrokerd.js', import.meta.url));
/** What the machine sends to the host when the tests are over: the logs of all daemons, one after the other. */
export const LOG = join(tmpdir(), 'daemon.log');
/** Milliseconds until a wait has failed. */
const PATIENCE = 90_000;

/** The bundled daemon on a bus of its own, and a connection to it. */
export interface RunningDaemon extends AsyncDisposable {
  readonly bus: PrivateBus;
  readonly pid: number;
  /** The test's own connection, as root. */
  readonly broker: Broker;
  /** One more connection. */
  open(): Promise<Broker>;
  /** Milliseconds from the start of the process until it answered. */
  readonly startup: number;
  /** What all daemons wrote so far. */
  log(): string;
  /** Ends it, waits for that, and says how it ended. */
  stop(): Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
}

export interface DaemonSurroundings {
  readonly env?: NodeJS.ProcessEnv;
  /** Of the daemon; root when absent. */
  readonly person?: Person;
  /** Of the bus, as `BusOptions` has it. */
  readonly config?: string;
}

/** @param args options after `--bus ADDRESS` */
export async function startDaemon(
  args: readonly string[] = [],
  { env, person, config }: DaemonSurroundings = {},
): Promise<RunningDaemon> {
  const bus = await startBus({ shared: true, ...(config !== undefined && { config }) });
  const output = openSync(LOG, 'a');
  writeSync(output, `--- dmabrokerd ${args.join(' ')}\n`);
  const started = performance.now();
  const child = spawn(process.execPath, [PROGRAM, '--bus', bus.address, ...args], {
    stdio: ['ignore', output, output],
    env: { ...process.env, ...env },
    ...person,
  });
  const open = (): Promise<Broker> => connect({ bus: bus.address });
  const said = readFileSync(LOG).length;
  // Asking before it says that it is ready would take from it the processor that it starts on.
  const answers = async (): Promise<Broker | undefined> => {
    const log = readFileSync(LOG);
    assert.equal(child.exitCode, null, log.toString());
    return log.subarray(said).includes('"ready"') ? await open() : undefined;
  };
  const broker = await until('the daemon', answers).catch(async (error: unknown) => {
    await endChild(child, 'SIGKILL');
    await bus.stop();
    throw error;
  });
  const startup = performance.now() - started;
  assert(child.pid !== undefined);
  const stop = async () => {
    await broker.close();
    await endChild(child);
    await bus.stop();
    return { code: child.exitCode, signal: child.signalCode };
  };
  return {
    bus,
    pid: child.pid,
    broker,
    open,
    startup,
    log: () => readFileSync(LOG, 'utf8'),
    stop,
    [Symbol.asyncDispose]: async () => {
      await stop();
    },
  };
}

/** Waits for something to be seen. */
export async function until<T>(what: string, look: () => T | undefined | Promise<T | undefined>): Promise<T> {
  const end = Date.now() + PATIENCE;
  for (;;) {
    const seen = await look();
    if (seen !== undefined) return seen;
    assert(Date.now() < end, `waited in vain: ${what}`);
    await pause(10);
  }
}

/** Waits until every buffer is gone, for as long as they become fewer: thousands take minutes under emulation. */
export async function nothingLives(broker: Broker): Promise<void> {
  const live = async (): Promise<bigint> => (await broker.status()).liveBytes;
  for (let left = await live(); left > 0n;)
    left = await until('fewer buffers live', async () => {
      const now = await live();
      return now < left ? now : undefined;
    });
}

/** Descriptors that a process has open. */
export const openFds = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length;
