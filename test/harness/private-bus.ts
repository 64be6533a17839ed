import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { ensure, hasProgram } from '../tools/ensure.mjs';
import { startBroker } from './broker-launch.js';

export type BusKind = 'dbus-daemon' | 'dbus-broker';

export interface BusOptions {
  /** `dbus-daemon` when absent. */
  readonly kind?: BusKind;
  /** For dbus-daemon: a whole `busconfig` without `listen`; one that lets everything through when absent. */
  readonly config?: string;
  /** Lets processes of other users in, who know the address. */
  readonly shared?: boolean;
}

/** A message bus of our own, on a socket in a temporary directory. */
export interface PrivateBus extends AsyncDisposable {
  readonly kind: BusKind;
  readonly address: string;
  /** Process id of the bus. */
  readonly pid: number;
  /** Ends the bus and removes its directory. */
  stop(): Promise<void>;
}

/** Kinds of bus on this machine: what a test of both is run with. */
export const busKinds = (): readonly BusKind[] =>
  (['dbus-daemon', 'dbus-broker'] as const).filter((kind) => hasProgram(kind));

/** A busconfig that lets everything through; `rules` go into its default policy, after all else, and `limits` after that. */
export const permissiveConfig = (rules = '', limits = ''): string => `<!DOCTYPE busconfig PUBLIC
 "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_destination="*" eavesdrop="false"/>
    <allow receive_sender="*"/>
    ${rules}
  </policy>
  ${limits}
</busconfig>`;

export async function startBus(options: BusOptions = {}): Promise<PrivateBus> {
  const { kind = 'dbus-daemon', config = permissiveConfig(), shared = false } = options;
  ensure([kind]);
  const directory = mkdtempSync(join(tmpdir(), 'dmabroker-bus-'));
  if (shared) chmodSync(directory, 0o711);
  const socket = join(directory, 'bus');
  try {
    const bus =
      kind === 'dbus-broker' ? await startBroker(socket) : await startDbusDaemon(directory, socket, config);
    if (shared) chmodSync(socket, 0o666);
    return new RunningBus(kind, bus.address, bus.child, directory);
  } catch (error) {
    rmSync(directory, { recursive: true, force: true });
    throw error;
  }
}

/** Ends a child by its pid and waits until it is gone. */
export async function endChild(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill(signal);
  await gone;
}

class RunningBus implements PrivateBus {
  readonly kind: BusKind;
  readonly address: string;
  readonly #child: ChildProcess;
  readonly #directory: string;
  readonly #onExit = (): void => {
    this.#child.kill();
    this.#clean();
  };

  constructor(kind: BusKind, address: string, child: ChildProcess, directory: string) {
    this.kind = kind;
    this.address = address;
    this.#child = child;
    this.#directory = directory;
    process.once('exit', this.#onExit);
  }

  get pid(): number {
    const { pid } = this.#child;
    if (pid === undefined) throw new Error('the bus did not start');
    return pid;
  }

  async stop(): Promise<void> {
    process.off('exit', this.#onExit);
    await endChild(this.#child);
    this.#clean();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #clean(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

interface StartedBus {
  readonly address: string;
  readonly child: ChildProcess;
}

async function startDbusDaemon(directory: string, socket: string, config: string): Promise<StartedBus> {
  const file = join(directory, 'bus.conf');
  writeFileSync(file, config.replace('</busconfig>', `<listen>unix:path=${socket}</listen></busconfig>`));
  const child = spawn(
    'dbus-daemon',
    [`--config-file=${file}`, '--nofork', '--nopidfile', '--nosyslog', '--print-address'],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  // It warns about limits it may not raise; what it says matters only when it does not start.
  let complaints = '';
  child.stderr.on('data', (chunk: Buffer) => {
    complaints = (complaints + chunk.toString()).slice(-4096);
  });
  for await (const line of createInterface(child.stdout)) return { address: line, child };
  throw new Error(`dbus-daemon ended before it told its address: ${complaints}`);
}
