import type { ChildProcess } from 'node:child_process';

import { ECHO, NODE_ECHO, startEcho } from '../../bench/echo.js';
import { quantile, type Load } from '../../bench/load.js';
import { endChild } from '../../harness/private-bus.js';

/** Calls until the emulator has translated what serves them. */
const WARM_UP = 200;

interface Echo {
  readonly name: string;
  readonly command: readonly string[];
  /** Nanoseconds of each call. */
  readonly taken: number[];
}

/** Services that do nothing but return a descriptor: below what they take nothing of ours can be. */
export class Echoes implements AsyncDisposable {
  readonly #load: Load;
  readonly #children: ChildProcess[] = [];
  readonly #echoes: Readonly<Record<'C' | 'Node.js', Echo>> = {
    C: { name: ECHO.c, command: ['/bin/c-echo'], taken: [] },
    'Node.js': { name: ECHO.node, command: NODE_ECHO, taken: [] },
  };

  private constructor(load: Load) {
    this.#load = load;
  }

  /** @param load on the bus at that address */
  static async start(load: Load, address: string): Promise<Echoes> {
    const echoes = new Echoes(load);
    try {
      for (const echo of Object.values(echoes.#echoes)) await echoes.#start(echo, address);
      return echoes;
    } catch (error) {
      await echoes[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Asks each for so many descriptors. */
  async take(count: number): Promise<void> {
    for (const { name, taken } of Object.values(this.#echoes)) {
      await this.#load.run(`echo ${name}`);
      taken.push(...(await this.#load.run(`descriptor ${count}`)));
    }
  }

  /** The medians, in nanoseconds, by what the service is written in. */
  medians(): readonly (readonly [string, number])[] {
    return Object.entries(this.#echoes).map(([kind, { taken }]) => [kind, quantile(taken, 0.5)]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children) await endChild(child);
  }

  async #start({ name, command }: Echo, address: string): Promise<void> {
    this.#children.push(await startEcho(command, address));
    await this.#load.run(`echo ${name}`);
    await this.#load.run(`descriptor ${WARM_UP}`);
  }
}
