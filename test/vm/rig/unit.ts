import assert from 'node:assert/strict';

import { until } from './daemon.js';
import { run } from './run.js';

/** A unit of the machine's systemd. */
export class Unit {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }

  /** @throws {AssertionError} with what systemd said of a job that failed */
  start = (): Promise<void> => this.#control('start');
  /** Ends it for good; a failed one is as new afterwards. */
  async stop(): Promise<void> {
    await this.#control('stop');
    await this.#control('reset-failed', { mayFail: true });
  }
  restart = (): Promise<void> => this.#control('restart');
  reload = (): Promise<void> => this.#control('reload');

  /** Sends a signal to its main process, and waits for nothing. */
  async kill(signal: NodeJS.Signals): Promise<void> {
    await this.#control('kill', { options: ['--kill-whom=main', `--signal=${signal}`] });
  }

  /** A property of `systemctl show`: `ActiveState`, `MainPID`, `NRestarts`, `NFileDescriptorStore`. */
  async property(name: string): Promise<string> {
    const { out } = await run('systemctl', ['show', '--value', `--property=${name}`, this.name]);
    return out.trim();
  }

  /** Process id of its main process; undefined when there is none. */
  async mainPid(): Promise<number | undefined> {
    const pid = Number(await this.property('MainPID'));
    return pid === 0 ? undefined : pid;
  }

  /** Waits until a property is this. */
  async becomes(name: string, value: string): Promise<void> {
    await until(`${this.name}: ${name}=${value}`, async () =>
      (await this.property(name)) === value ? true : undefined,
    );
  }

  /** What it wrote since the machine started. */
  async log(): Promise<string> {
    return (await run('journalctl', ['--boot', '--output=cat', `--unit=${this.name}`])).out;
  }

  async #control(
    verb: string,
    { options = [], mayFail = false }: { options?: readonly string[]; mayFail?: boolean } = {},
  ): Promise<void> {
    const { code, complaints } = await run('systemctl', [verb, ...options, this.name]);
    assert(code === 0 || mayFail, `systemctl ${verb} ${this.name}: ${complaints}`);
  }
}

/** The daemon, as it is installed. */
export const DAEMON = new Unit('dmabrokerd.service');
