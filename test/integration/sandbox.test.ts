import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { connect } from '../../client/index.js';
import { startDaemon, type RunningDaemon } from '../harness/daemon.js';
import { expectNoNewFds, openFds } from '../harness/leaks.js';
import { endChild, permissiveConfig, startBus, type PrivateBus } from '../harness/private-bus.js';
import { SYSTEM_BUS_CONFIG } from '../harness/system-bus.js';
import { ensure } from '../tools/ensure.mjs';
import { PROFILE, TemporaryDirectory } from './rig.js';

/** The proxy that Flatpak puts between a sandbox and the system bus. */
const hasProxy = ensure(['xdg-dbus-proxy'], { optional: true });

const CPU = { device: 'cpu', uses: ['read', 'write'] } as const;

/** A proxy's own end of the bus, as a sandbox has it. */
class Sandbox implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly address: string;

  private constructor(child: ChildProcess, address: string) {
    this.#child = child;
    this.address = address;
  }

  /** @param rules as Flatpak makes them of a manifest: `--system-talk-name=NAME` is `--talk=NAME` */
  static async start(bus: PrivateBus, socket: string, rules: readonly string[]): Promise<Sandbox> {
    const child = spawn('xdg-dbus-proxy', ['--fd=3', bus.address, socket, '--filter', ...rules], {
      stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
    });
    // It writes there when it listens, and ends when nobody reads there any more.
    const [, , , ready] = child.stdio;
    if (ready === null || ready === undefined) throw new Error('the proxy did not start');
    await Promise.race([once(ready, 'data'), once(child, 'exit')]);
    if (!existsSync(socket)) throw new Error('the proxy ended before it listened');
    return new Sandbox(child, `unix:path=${socket}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await endChild(this.#child);
  }
}

describe.runIf(hasProxy)('a program in a sandbox', () => {
  const directory = new TemporaryDirectory();
  const isRoot = process.getuid?.() === 0;
  let bus: PrivateBus;
  let daemon: RunningDaemon;
  beforeAll(async () => {
    // Only root may own the name below the rules of a system bus.
    bus = await startBus({ config: isRoot ? SYSTEM_BUS_CONFIG : permissiveConfig() });
    daemon = await startDaemon({ bus, args: ['--profile', PROFILE] });
  });
  afterAll(async () => {
    await daemon.stop();
    await bus.stop();
    directory[Symbol.dispose]();
  });
  const sandbox = (name: string, ...rules: readonly string[]): Promise<Sandbox> =>
    Sandbox.start(bus, join(directory.path, name), rules);

  it('gets buffers with one line of its manifest, and no node and no group', async () => {
    await using inside = await sandbox('with', '--talk=org.dmabroker1');
    const before = openFds();
    const broker = await connect({ bus: inside.address });
    const allocation = await broker.allocate([CPU], { width: 640, height: 480, format: 'XR24', count: 20 });
    expect(allocation.buffers).toHaveLength(20);
    for (const buffer of allocation.buffers) {
      await buffer.map({ write: true }, (bytes) => bytes.fill(0x5a));
      expect(await buffer.map({ read: true }, (bytes) => bytes.every((byte) => byte === 0x5a))).toBe(true);
    }
    expect(await broker.allocations()).toMatchObject([{ path: allocation.path, state: 'held' }]);
    await allocation.release();
    await broker.close();
    await expectNoNewFds(before);
  });

  it('hears of what changes', async () => {
    await using inside = await sandbox('hearing', '--talk=org.dmabroker1');
    await using broker = await connect({ bus: inside.address });
    await using watch = await broker.watch();
    const added = once(watch, 'added');
    await using allocation = await broker.allocate([CPU], { size: 4096 });
    expect(await added).toMatchObject([{ kind: 'allocation', path: allocation.path }]);
  });

  it('loses what it had when the sandbox ends', async () => {
    const inside = await sandbox('ending', '--talk=org.dmabroker1');
    await using outside = await connect({ bus: bus.address });
    await using watch = await outside.watch();
    const broker = await connect({ bus: inside.address });
    const allocation = await broker.allocate([CPU], { size: 4096 });
    const closed = once(broker, 'closed');
    const state = (): string | undefined => {
      const object = watch.objects.get(allocation.path);
      return object?.kind === 'allocation' ? object.state : undefined;
    };
    await expect.poll(state, { timeout: 10_000 }).toBe('held');
    await inside[Symbol.asyncDispose]();
    await closed;
    // What this process has open still counts.
    await expect.poll(state, { timeout: 10_000 }).toBe('orphaned');
    await allocation.release();
    await expect.poll(state, { timeout: 10_000 }).toBe(undefined);
  });

  it('is refused without it', async () => {
    await using inside = await sandbox('without');
    await expect(connect({ bus: inside.address })).rejects.toMatchObject({
      name: 'DmabrokerError',
      code: 'NoDaemon',
    });
  });
});
