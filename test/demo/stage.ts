import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import { connect, DmabrokerError, type Broker } from '../../client/index.js';
import { endChild, startBus, type BusOptions, type PrivateBus } from '../harness/private-bus.js';

const program = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** A private bus with a daemon on it, and a client of that. Everything ends with it. */
export class Stage implements AsyncDisposable {
  readonly broker: Broker;
  readonly #bus: PrivateBus;
  readonly #daemon: ChildProcess;

  private constructor(bus: PrivateBus, daemon: ChildProcess, broker: Broker) {
    this.#bus = bus;
    this.#daemon = daemon;
    this.broker = broker;
  }

  /** @throws {Error} with what the daemon said, when it does not start */
  static set(...daemonOptions: readonly string[]): Promise<Stage> {
    return Stage.on({}, daemonOptions);
  }

  /** The same on a bus of one's own choice. @param environment what the daemon has besides this process's */
  static async on(
    busOptions: BusOptions,
    daemonOptions: readonly string[],
    environment: NodeJS.ProcessEnv = {},
  ): Promise<Stage> {
    const bus = await startBus(busOptions);
    try {
      const daemon = run(
        'daemon/main.js',
        ['--bus', bus.address, '--log-level', 'warn', ...daemonOptions],
        'pipe',
        { environment },
      );
      try {
        return new Stage(bus, daemon, await reach(bus, daemon));
      } catch (error) {
        await endChild(daemon);
        throw error;
      }
    } catch (error) {
      await bus.stop();
      throw error;
    }
  }

  /** Of the bus. */
  get address(): string {
    return this.#bus.address;
  }

  /** Process id of the bus. */
  get busPid(): number {
    return this.#bus.pid;
  }

  /** Process id of the daemon. */
  get pid(): number {
    const { pid } = this.#daemon;
    if (pid === undefined) throw new Error('the daemon did not start');
    return pid;
  }

  /** Runs dmabrokerctl on this bus, its output shown. @returns its exit code */
  async ctl(...args: readonly string[]): Promise<number | null> {
    return finished(run('client/cli/main.js', ['--bus', this.#bus.address, ...args], 'inherit'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.broker.close();
    await endChild(this.#daemon);
    await this.#bus.stop();
  }
}

interface RunOptions {
  /** Become its descriptors from 3 on. */
  readonly extra?: readonly number[];
  /** What it has besides this process's. */
  readonly environment?: NodeJS.ProcessEnv;
}

/** Runs another program of the build in a process of its own. */
export function run(
  path: string,
  args: readonly string[],
  output: 'inherit' | 'pipe',
  { extra = [], environment = {} }: RunOptions = {},
): ChildProcess {
  const stdio: StdioOptions = ['ignore', output, output, ...extra];
  return spawn(process.execPath, [program(path), ...args], {
    stdio,
    env: { ...process.env, ...environment },
  });
}

export async function finished(child: ChildProcess): Promise<number | null> {
  const [code] = (await once(child, 'close')) as [number | null];
  return code;
}

/** Connects as soon as the daemon is on the bus. */
async function reach(bus: PrivateBus, daemon: ChildProcess): Promise<Broker> {
  let said = '';
  for (const stream of [daemon.stdout, daemon.stderr])
    stream?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
  for (;;) {
    try {
      return await connect({ bus: bus.address });
    } catch (error) {
      if (!(error instanceof DmabrokerError) || error.code !== 'NoDaemon') throw error;
      if (daemon.exitCode !== null || daemon.signalCode !== null)
        throw new Error(`the daemon did not start:\n${said}`, { cause: error });
    }
  }
}
