import assert from 'node:assert/strict';
import { inspect } from 'node:util';

import { ATTACKER_BYTES, Role, type Wanted } from './attack.js';
import { startDaemon, until, type RunningDaemon } from './daemon.js';
import type { Exporter } from './exporters.js';
import { onlyHeaps } from './heap-nodes.js';
import { localPolicy } from './local-policy.js';
import { revealedPools } from './pools.js';
import { USERS } from './users.js';

/** How often the daemon is asked to look before what counts is held by somebody, and not on its way. */
const LOOKS = 3;
/** Milliseconds in which what was let go ends. */
const SOON = 5000;

/** `Warm` is what a victim can take at once. */
const POLICY = [
  ...['scattered', 'contiguous', 'device'].map((pool) => `[Pool ${pool}]\nLimit=64M\nShare=100%\nWarm=1M\n`),
  '[Pool plain]\nLimit=64M\nShare=100%\n[Quota]\nBytes=1G\nClientBytes=1G\nUnitBytes=1G\nRate=100000\nBurst=100000\n',
  `[Quota uid:${String(USERS.attacker)}]\nBytes=${String(ATTACKER_BYTES)}\n`,
].join('');

/** A daemon that hands out memory of one exporter, an attacker and a victim. */
export class Arena implements AsyncDisposable {
  readonly daemon: RunningDaemon;
  readonly wanted: Wanted;
  readonly #things: readonly Disposable[];

  private constructor(daemon: RunningDaemon, { devices, buffer }: Exporter, things: readonly Disposable[]) {
    this.daemon = daemon;
    this.wanted = { bus: daemon.bus.address, devices, buffer };
    this.#things = things;
  }

  /** @param args of the daemon @throws {AssertionError} when the broker takes memory from elsewhere */
  static async open(exporter: Exporter, args: readonly string[] = [], policy = POLICY): Promise<Arena> {
    // A display's own dumb buffers are contiguous as well, and would be taken where a CMA heap is meant.
    const noDumb = exporter.kind === 'drm-dumb' ? '' : '[Pool device]\nLimit=0\n';
    const things = [onlyHeaps(exporter.heap), localPolicy(`${policy}${noDumb}`)];
    try {
      const arena = new Arena(await startDaemon(args), exporter, things);
      await arena.#check(exporter).catch(async (error: unknown) => {
        await arena.daemon[Symbol.asyncDispose]();
        throw error;
      });
      return arena;
    } catch (error) {
      for (const thing of things) thing[Symbol.dispose]();
      throw error;
    }
  }

  async #check({ devices, buffer, kind, node }: Exporter): Promise<void> {
    const { broker } = this.daemon;
    await using allocation = await broker.allocate(devices, buffer);
    const pools = await revealedPools(broker);
    const used = pools.find(({ handle }) => handle === allocation.layout.pool)?.details;
    const told = pools.map(
      (pool) => `${pool.class} of ${String(pool.limit)} bytes: ${inspect(pool.details)}`,
    );
    assert.ok(
      used?.['kind'] === kind && used['node'] === node,
      `memory is to come from ${kind}: ${told.join('; ')}`,
    );
  }

  attacker(): Promise<Role<'attacker'>> {
    return Role.start('attacker', this.wanted);
  }

  victim(): Promise<Role<'victim'>> {
    return Role.start('victim', this.wanted);
  }

  async liveBytes(): Promise<bigint> {
    return (await this.daemon.broker.status()).liveBytes;
  }

  /**
   * Bytes that count against the attacker after the daemon has looked, some times over, at what it released. The victim's
   * own count as long as it is there where the kernel does not tell when they end.
   */
  async counted(attacker: Role<'attacker'>): Promise<bigint> {
    for (let look = 0; look < LOOKS; look += 1) {
      await attacker.order('recheck');
      if ((await this.#attackers()) === 0n) return 0n;
    }
    return this.#attackers();
  }

  async #attackers(): Promise<bigint> {
    const allocations = await this.daemon.broker.allocations();
    return allocations
      .filter(({ user }) => user === USERS.attacker)
      .reduce((sum, { size }) => sum + size, 0n);
  }

  /**
   * Whether nothing counts any more, soon after it was let go: the kernel ends some things later.
   * @param attacker who has the daemon look; absent, it looks when it does so by itself
   */
  async ended(attacker?: Role<'attacker'>): Promise<boolean> {
    const end = Date.now() + SOON;
    return until('something is let go', async () => {
      const live = attacker === undefined ? this.liveBytes() : this.counted(attacker);
      if ((await live) === 0n) return true;
      return Date.now() < end ? undefined : false;
    });
  }

  async nothingLives(attacker: Role<'attacker'>): Promise<void> {
    await until('nothing counts', async () => ((await this.counted(attacker)) === 0n ? true : undefined));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.daemon[Symbol.asyncDispose]();
    for (const thing of this.#things) thing[Symbol.dispose]();
  }
}
