import assert from 'node:assert/strict';
import { fstatSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';

import type { Broker } from '../../../client/index.js';
import { Window } from '../../../client/memory/window.js';
import { connectBus } from '../../../dbus/connection/bus.js';
import type { Bus, WireValue } from '../../../dbus/connection/bus-types.js';
import { BROKER_INTERFACE, BUS_NAME, ROOT_PATH } from '../../../dbus/names.js';
import { closeAll, type OwnedFd } from '../../../dbus/owned-fd.js';
import { Load, quantile } from '../../bench/load.js';
import { startDaemon, until, type RunningDaemon } from '../rig/daemon.js';
import { Echoes } from '../rig/echoes.js';

/** A picture of 3840 × 2160 at four bytes a pixel. */
const FRAME = 33_177_600n;
/** Frames that there is room for, and that are taken in a row, so often. */
const FRAMES = 8;
const IN_A_ROW = 4;
const ROUNDS = 6;
const HEAP_ROUNDS = 3;
/** Small requests before anything is measured, until both sides run compiled code. */
const WARM_UP = 1600;
const REUSES = 1000;
/**
 * At least so many times as fast as the heap makes a frame, one that lies ready is handed out; on a quiet host it is ten
 * times. On one that others use, any call takes several times as long, and what the kernel does alone does not: there it is
 * faster, and takes no more than so many times what a service takes that does nothing.
 */
const FASTER = 4;
const SLOWER = 2;
/** Buffers of one call. */
const AT_ONCE = 16;
const DIRECTORY = '/etc/dmabroker/dmabroker.conf.d';
const FILE = `${DIRECTORY}/60-warm.conf`;

let daemon: RunningDaemon;
let bus: Bus;

before(async () => {
  mkdirSync(DIRECTORY, { recursive: true });
  // No more than what lies ready may be out, so that nothing is made while it is measured how that is taken.
  const all = FRAME * BigInt(FRAMES);
  writeFileSync(FILE, `[Pool scattered]\nLimit=${all}\nWarm=${all}\nIdle=10min\n`);
  daemon = await startDaemon();
  bus = await connectBus(daemon.bus.address);
});
after(async () => {
  await bus.close();
  await daemon[Symbol.asyncDispose]();
  rmSync(FILE);
});

const call = (member: string, signature: string, body: readonly WireValue[]) =>
  bus.call({ destination: BUS_NAME, path: ROOT_PATH, interface: BROKER_INTERFACE, member, signature, body });

interface Granted {
  readonly path: WireValue;
  readonly fds: readonly OwnedFd[];
}

async function allocate(size: bigint, count = 1): Promise<Granted> {
  const buffer = [
    ['size', { signature: 't', value: size }],
    ['count', { signature: 'u', value: count }],
  ] as const;
  const { body, fds } = await call('Allocate', 'a(sa{sv})a{sv}', [[['cpu', []]], buffer]);
  const [path] = body;
  assert(path !== undefined && fds.length === count);
  return { path, fds };
}

async function release({ path, fds }: Granted): Promise<void> {
  closeAll(fds);
  await call('Release', 'o', [path]);
}

/** The pool that requests for memory come from: the only one that keeps anything ready. */
async function stock(broker: Broker): Promise<{ warm: bigint; hits: bigint; misses: bigint }> {
  const pools = await broker.pools();
  const [used] = pools.filter(({ hits, misses }) => hits + misses > 0n);
  return used ?? { warm: 0n, hits: 0n, misses: 0n };
}

/** Waits until so many bytes lie ready. */
const warmed = (bytes: bigint): Promise<true> =>
  until(`${bytes} bytes lie ready`, async () =>
    (await stock(daemon.broker)).warm >= bytes ? true : undefined,
  );

const median = (values: readonly number[]): number => quantile(values, 0.5);

const shown = (nanoseconds: number): string => `${(nanoseconds / 1e6).toFixed(2)} ms`;

describe('warm stock on a real kernel', () => {
  it('shows only zeroes, however often a buffer is used again', async (test) => {
    const size = 65_536;
    const ZEROES = Buffer.alloc(size);
    const seen = new Set<number>();
    let uses = 0;
    for (; uses < REUSES + seen.size; uses += AT_ONCE) {
      const granted = await allocate(BigInt(size), AT_ONCE);
      for (const { number } of granted.fds) {
        const window = new Window(size);
        const bytes = await window.open(number);
        assert(Buffer.from(bytes.buffer, bytes.byteOffset, size).equals(ZEROES), `after ${uses} uses`);
        bytes.fill(0xa5);
        await window.close();
        seen.add(fstatSync(number).ino);
      }
      await release(granted);
      await warmed(BigInt(size * AT_ONCE));
    }
    test.diagnostic(`${uses} uses of ${seen.size} buffers`);
  });

  it('serves a frame that lies ready faster than the heap makes one', async (test) => {
    await using load = new Load('/bin/load', daemon.bus.address);
    await load.run('device cpu');
    await load.run('size 4096');
    // The request's way in and out, which Explain shares, is much of what has to be compiled.
    await load.run(`explain ${WARM_UP}`);
    for (let i = 0; i < WARM_UP; i += AT_ONCE) await load.run(`allocate ${AT_ONCE} 1`);
    await load.run(`size ${FRAME}`);
    await load.run(`allocate ${IN_A_ROW} 1`);
    await using echoes = await Echoes.start(load, daemon.bus.address);
    const [fresh, warm]: [number[], number[]] = [[], []];
    for (let round = 0; round < ROUNDS; round += 1) {
      await warmed(FRAME * BigInt(IN_A_ROW));
      const before = await stock(daemon.broker);
      // Several, so that meanwhile the daemon has told what changed when the frames came to lie ready.
      fresh.push(...(await load.run(`heap /dev/dma_heap/system ${FRAME} ${HEAP_ROUNDS}`)));
      warm.push(...(await load.run(`allocate ${IN_A_ROW} 1`)));
      await echoes.take(IN_A_ROW);
      const { hits, misses } = await stock(daemon.broker);
      assert.deepEqual([hits - before.hits, misses - before.misses], [BigInt(IN_A_ROW), 0n]);
    }
    const [heap, service] = [median(fresh), median(warm)];
    const medians = echoes.medians();
    const told = [
      `the heap takes ${shown(heap)}, the stock ${shown(service)}`,
      ...medians.map(([kind, time]) => `a descriptor from ${kind} ${shown(time)}`),
    ].join(', ');
    test.diagnostic(told);
    const nothing = Math.max(...medians.map(([, time]) => time));
    assert(heap >= FASTER * service || (heap > service && service <= SLOWER * nothing), told);
  });
});
