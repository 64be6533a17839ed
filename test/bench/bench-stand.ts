import { mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import type { Inventory } from '../../daemon/devices/inventory.js';
import { profileFromInventory } from '../../daemon/devices/profile/write.js';
import { Stage } from '../demo/stage.js';
import { endChild, permissiveConfig, type BusKind } from '../harness/private-bus.js';
import { writePolicy } from '../harness/root-policy.js';
import { compile } from './compile.mjs';
import { startEcho } from './echo.js';
import { Load } from './load.js';

/** A recorded machine with plain memory behind its heaps, so that every machine can measure. */
export const PROFILE = fileURLToPath(
  new URL('../../../test/fixtures/profiles/raspberry-pi-4.json', import.meta.url),
);

/** A bus that lets a thousand clients in, and with a message whatever the kernel lets through. */
const LIMITS = ['max_completed_connections', 'max_incomplete_connections', 'max_connections_per_user'];
const BUS = permissiveConfig('', LIMITS.map((name) => `<limit name="${name}">8192</limit>`).join(''));

/** Room for whatever is measured: it is about time. */
const POLICY = `[Pool scattered]
Limit=4G
Warm=1G
Idle=10min
[Quota]
Bytes=4G
Buffers=100000
ClientBytes=4G
ClientBuffers=100000
UnitBytes=4G
UnitBuffers=100000
`;

/** Milliseconds between two looks at what lies ready, and looks without a change: it begins to be made after 50 ms. */
const LOOK = 20;
const QUIET = 6;

export interface StandOptions {
  /** Made up for what is measured; a recorded one when absent. */
  readonly machine?: Inventory;
  readonly bus?: BusKind;
}

/** A bus with the daemon, the echo service, and the client that measures. Everything ends with it. */
export class BenchStand implements AsyncDisposable {
  readonly load: Load;
  readonly stage: Stage;
  /** Process ids of everybody who takes part in a call. */
  readonly pids: readonly number[];
  readonly #pools: readonly string[];
  readonly #endings: (() => Promise<void>)[];

  /** @param pools their paths on the bus @param endings what to end, the first one last */
  private constructor(
    { load, stage, pids }: Pick<BenchStand, 'load' | 'stage' | 'pids'>,
    pools: readonly string[],
    endings: (() => Promise<void>)[],
  ) {
    this.load = load;
    this.stage = stage;
    this.pids = pids;
    this.#pools = pools;
    this.#endings = endings;
  }

  static async set({ machine, bus = 'dbus-daemon' }: StandOptions = {}): Promise<BenchStand> {
    const endings: (() => Promise<void>)[] = [];
    try {
      const directory = mkdtempSync(join(tmpdir(), 'dmabroker-bench-'));
      endings.push(() => rm(directory, { recursive: true, force: true }));
      writePolicy(directory, POLICY);
      const busOptions = { kind: bus, ...(bus === 'dbus-daemon' && { config: BUS }) };
      const profile = machine === undefined ? PROFILE : writeProfile(machine, directory);
      const [client, service] = [compile('load', directory), compile('echo', directory)];
      const stage = await Stage.on(busOptions, ['--root', directory, '--profile', profile]);
      endings.push(() => stage[Symbol.asyncDispose]());
      const echo = await startEcho([service], stage.address);
      endings.push(() => endChild(echo));
      const load = new Load(client, stage.address);
      endings.push(() => load[Symbol.asyncDispose]());
      const pools = (await stage.broker.pools()).map(({ path }) => path);
      const pids = [stage.busPid, stage.pid, load.pid, ...(echo.pid === undefined ? [] : [echo.pid])];
      return new BenchStand({ load, stage, pids }, pools, endings);
    } catch (error) {
      await endAll(endings);
      throw error;
    }
  }

  /** Waits until nothing more is made to lie ready. */
  async settled(): Promise<void> {
    let before = NaN;
    for (let quiet = 0; quiet < QUIET; quiet += 1) {
      const { warm } = await this.#stock();
      if (warm !== before) quiet = 0;
      before = warm;
      await pause(LOOK);
    }
  }

  /** Buffers that had to be made, because none lay ready. */
  async misses(): Promise<number> {
    return (await this.#stock()).misses;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await endAll(this.#endings);
  }

  /** Of all pools; asked by the client in C, which disturbs what is measured the least. */
  async #stock(): Promise<{ readonly warm: number; readonly misses: number }> {
    const stock = { warm: 0, misses: 0 };
    for (const path of this.#pools) {
      const [warm = NaN, misses = NaN] = await this.load.run(`pool ${path}`);
      stock.warm += warm;
      stock.misses += misses;
    }
    return stock;
  }
}

function writeProfile(machine: Inventory, directory: string): string {
  const file = join(directory, 'profile.json');
  writeFileSync(
    file,
    profileFromInventory(machine, { kind: 'constructed', from: ['nothing: for a measure'] }),
  );
  return file;
}

async function endAll(endings: (() => Promise<void>)[]): Promise<void> {
  for (const end of endings.toReversed()) await end();
}
