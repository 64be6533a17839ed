import { appendFileSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';

import { connect, type Allocation, type Broker } from '../../client/index.js';
import { startDaemon, type RunningDaemon } from '../harness/daemon.js';
import { FdStore } from '../harness/fd-store.js';
import { openFds } from '../harness/leaks.js';
import { startBus, type PrivateBus } from '../harness/private-bus.js';
import { NOTHING_READY, writePolicy } from '../harness/root-policy.js';
import { PROFILE, runDaemon, TemporaryDirectory } from './rig.js';
import { naming } from '../harness/naming.js';

const CPU = [{ device: 'cpu', uses: ['read', 'write'] }] as const;
const FRAME = { width: 64, height: 64, format: 'XR24' } as const;
const FRAME_BYTES = 16_384n;

/** A bus, and a state directory that outlives the daemons. */
class Place implements AsyncDisposable {
  readonly #root = new TemporaryDirectory();
  readonly state = join(this.#root.path, 'state');
  readonly store: FdStore;
  readonly bus: PrivateBus;

  private constructor(bus: PrivateBus, store: FdStore) {
    this.bus = bus;
    this.store = store;
    writePolicy(this.#root.path, NOTHING_READY);
  }

  static async make(store = new FdStore()): Promise<Place> {
    return new Place(await startBus(), store);
  }

  get args(): readonly string[] {
    return ['--profile', PROFILE, '--root', this.#root.path, '--state-dir', this.state];
  }

  /** @param stored whether the daemon has a service manager that keeps descriptors */
  start({
    stored = true,
    more = [],
  }: { stored?: boolean; more?: readonly string[] } = {}): Promise<RunningDaemon> {
    const args = [...this.args, ...more];
    return startDaemon({ bus: this.bus, args, ...(stored && { store: this.store }) });
  }

  client(): Promise<Broker> {
    return connect({ bus: this.bus.address });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.bus.stop();
    this.store[Symbol.dispose]();
    this.#root[Symbol.dispose]();
  }
}

const idsOf = async (broker: Broker): Promise<readonly string[]> =>
  (await broker.allocations()).map(({ path }) => path).toSorted();

describe('a daemon that comes after another', () => {
  it.each(['kill', 'stop'] as const)('has everything of the last one after a %s', async (end) => {
    await using place = await Place.make();
    const first = await place.start();
    await using client = await place.client();
    const lost: Allocation[] = [];
    client.on('lost', (allocation) => lost.push(allocation));
    const allocation = await client.allocate(CPU, { ...FRAME, count: 3, label: 'kept' });
    const before = await client.allocations();
    expect(place.store.kept.size).toBe(3);
    await first[end]();
    await using _second = await place.start();
    const [now] = await client.allocations();
    // The handle of a pool is another at every start.
    expect({ ...now, pool: '', layout: { ...now?.layout, pool: '' } }).toEqual({
      ...before[0],
      pool: '',
      layout: { ...before[0]?.layout, pool: '' },
    });
    expect(await client.status()).toMatchObject({ liveBytes: 3n * FRAME_BYTES, liveBuffers: 3n });
    expect(lost).toEqual([]);
    const more = await allocation.extend(1);
    expect(more).toHaveLength(1);
    expect(place.store.kept.size).toBe(4);
    await allocation.release();
    await vi.waitFor(async () => {
      expect(await client.status()).toMatchObject({ liveBytes: 0n, liveBuffers: 0n });
      expect(place.store.kept.size).toBe(0);
    });
  });

  it('ends what belonged to those who left meanwhile', async () => {
    await using place = await Place.make();
    const first = await place.start();
    const client = await place.client();
    const { buffers } = await client.allocate(CPU, FRAME);
    await first.kill();
    await client.close();
    for (const { fd } of buffers) fd.close();
    await using _second = await place.start();
    await using other = await place.client();
    expect(await other.status()).toMatchObject({ liveBytes: 0n });
    await vi.waitFor(() => {
      expect(place.store.kept.size).toBe(0);
    });
  });

  it('gives up what was kept for it where it has no directory that says what it is', async () => {
    await using place = await Place.make();
    const first = await place.start();
    await using client = await place.client();
    const allocation = await client.allocate(CPU, { ...FRAME, count: 2 });
    const inodes = allocation.buffers.map(({ fd }) => readlinkSync(`/proc/self/fd/${fd.number}`));
    await first.kill();
    expect(place.store.kept.size).toBe(2);
    const args = place.args.filter((word) => word !== '--state-dir' && word !== place.state);
    await using second = await startDaemon({ bus: place.bus, args, store: place.store });
    await vi.waitFor(() => {
      expect(place.store.kept.size).toBe(0);
    });
    const open = [...openFds(second.pid).values()].filter((target) => inodes.includes(target));
    expect(open).toEqual([]);
  });

  it('says what was lost where nobody kept the descriptors', async () => {
    await using place = await Place.make();
    const first = await place.start({ stored: false });
    await using client = await place.client();
    await client.allocate(CPU, { ...FRAME, count: 2 });
    await first.kill();
    await using second = await place.start({ stored: false });
    expect(await client.status()).toMatchObject({ liveBytes: 0n, liveBuffers: 0n });
    expect(second.log()).toContain('"event":"buffers-lost"');
    expect(second.log()).toContain('"lost":2');
  });

  it('takes over from a living one with --replace', async () => {
    await using place = await Place.make();
    const first = await place.start({ stored: false });
    await using client = await place.client();
    const allocations = [];
    // More descriptors than fit into one datagram.
    for (let i = 0; i < 16; i += 1) allocations.push(await client.allocate(CPU, { ...FRAME, count: 16 }));
    const before = await idsOf(client);
    await using second = await place.start({ stored: false, more: ['--replace'] });
    expect(await first.exited).toEqual({ code: 0, signal: null });
    expect(await idsOf(client)).toEqual(before);
    expect(await client.status()).toMatchObject({ liveBytes: 256n * FRAME_BYTES });
    expect(second.fdCount()).toBeGreaterThan(256);
    await Promise.all(allocations.map((allocation) => allocation.release()));
    expect(await client.status()).toMatchObject({ liveBytes: 0n });
  });

  it('does not start beside another one on the same state', async () => {
    await using place = await Place.make();
    await using _first = await place.start({ stored: false });
    await using elsewhere = await startBus();
    const { code, stderr } = await runDaemon('--bus', elsewhere.address, ...place.args);
    expect(code).toBe(1);
    expect(stderr).toContain('"event":"start-failed"');
    expect(stderr).toMatch(naming(place.state));
  });

  it('keeps aside a state that somebody changed, and starts all the same', async () => {
    await using place = await Place.make();
    const first = await place.start();
    await using client = await place.client();
    await client.allocate(CPU, FRAME);
    // Once it answers again it has taken down that the buffer was sent.
    await client.status();
    await first.kill();
    const [file = ''] = readdirSync(place.state).filter((name) => name.startsWith('ledger.'));
    const path = join(place.state, file);
    appendFileSync(path, 'rubbish\n');
    await using second = await place.start();
    expect(await client.status()).toMatchObject({ liveBytes: FRAME_BYTES });
    expect(second.log()).toContain('"event":"state-damaged"');
    expect(second.log()).toContain('"problem":"damaged"');
    expect(readFileSync(`${path}.unreadable`, 'utf8')).toContain('rubbish');
  });

  it('gives back what was kept under a state that is not there any more', async () => {
    await using place = await Place.make();
    const first = await place.start();
    await using client = await place.client();
    await client.allocate(CPU, FRAME);
    await first.kill();
    for (const name of readdirSync(place.state).filter((name) => name.startsWith('ledger.')))
      writeFileSync(join(place.state, name), 'not ours\n');
    await using _second = await place.start();
    expect(await client.status()).toMatchObject({ liveBytes: 0n });
    await vi.waitFor(() => {
      expect(place.store.kept.size).toBe(0);
    });
  });

  it('serves where the state directory cannot be used, says so, and leaves nothing with the manager', async () => {
    await using place = await Place.make();
    const first = await place.start();
    await using client = await place.client();
    await client.allocate(CPU, FRAME);
    await first.kill();
    expect(place.store.kept.size).toBe(1);
    rmSync(place.state, { recursive: true });
    writeFileSync(place.state, 'a file');
    await using daemon = await place.start();
    await client.allocate(CPU, FRAME);
    expect(daemon.log()).toContain('"event":"state-unusable"');
    await vi.waitFor(() => {
      expect(place.store.kept.size).toBe(0);
    });
  });
});

describe('the service manager', () => {
  it('is told when the daemon is ready, and when it ends', async () => {
    await using place = await Place.make();
    const daemon = await place.start();
    await vi.waitFor(() => {
      expect(place.store.said).toEqual([
        expect.stringMatching(/^STATUS=\d+ devices, \d+ heaps, 0 buffers, 0 bytes$/),
        'READY=1',
      ]);
    });
    await daemon.stop();
    await vi.waitFor(() => {
      expect(place.store.said.slice(1)).toEqual(['READY=1', 'STOPPING=1']);
    });
  });

  it('may be full: then buffers are handed out all the same, with a warning', async () => {
    await using place = await Place.make(new FdStore({ capacity: 2 }));
    await using daemon = await startDaemon({
      bus: place.bus,
      args: place.args,
      env: { FDSTORE: '2' },
      store: place.store,
    });
    await using client = await place.client();
    await client.allocate(CPU, { ...FRAME, count: 5 });
    expect(await client.status()).toMatchObject({ liveBuffers: 5n });
    expect(place.store.kept.size).toBe(2);
    expect(daemon.log()).toContain('"event":"store-full"');
  });

  it('may be slow: nobody waits for it for long, and what it has late is taken back', async () => {
    await using place = await Place.make();
    await using daemon = await place.start();
    place.store.answer(false);
    await using client = await place.client();
    await using _allocation = await client.allocate(CPU, FRAME);
    expect(daemon.log()).toContain('"event":"manager-slow"');
    expect(place.store.kept.size).toBe(0);
    place.store.answer(true);
    await vi.waitFor(() => {
      expect(place.store.kept.size).toBe(0);
    });
    await client.allocate(CPU, FRAME);
    expect(place.store.kept.size).toBe(1);
  });
});
