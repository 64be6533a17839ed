import assert from 'node:assert/strict';
import { fstatSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';

import type { Broker } from '../../../client/index.js';
import { Window } from '../../../client/memory/window.js';
import { memoryCalls } from '../../../daemon/kernel/memory.js';
import { connectBus } from '../../../dbus/connection/bus.js';
import type { Bus, WireValue } from '../../../dbus/connection/types.js';
import { BROKER_INTERFACE, BUS_NAME, ROOT_PATH } from '../../../dbus/names.js';
import { closeAll, type OwnedFd } from '../../../dbus/owned-fd.js';
import { startDaemon, until, type RunningDaemon } from '../rig/daemon.js';

/** A picture of 3840 × 2160 at four bytes a pixel. */
const FRAME = 33_177_600n;
const TIMES = 15;
const REUSES = 1000;
/** Buffers of one call. */
const AT_ONCE = 16;
const DIRECTORY = '/etc/dmabroker/dmabroker.conf.d';
const FILE = `${DIRECTORY}/60-warm.conf`;

let daemon: RunningDaemon;
let bus: Bus;

before(async () => {
  mkdirSync(DIRECTORY, { recursive: true });
  writeFileSync(FILE, '[Pool scattered]\nLimit=1G\nWarm=40M\nIdle=10min\n');
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

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;

async function timed(run: () => Promise<void>, between: () => Promise<void>): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < TIMES; i += 1) {
    const start = performance.now();
    await run();
    times.push(performance.now() - start);
    await between();
  }
  return median(times);
}

describe('warm stock on a real kernel', () => {
  it('serves a frame at least eight times as fast as the heap makes one', async () => {
    await release(await allocate(FRAME));
    await warmed(FRAME);
    using heap = memoryCalls.openNode('/dev/dma_heap/system');
    let made: OwnedFd | undefined;
    const fresh = await timed(
      async () => {
        made = await memoryCalls.allocateDmaHeap(heap.number, FRAME);
      },
      async () => {
        made?.close();
        return Promise.resolve();
      },
    );
    const before = await stock(daemon.broker);
    let granted: Granted | undefined;
    const warm = await timed(
      async () => {
        granted = await allocate(FRAME);
      },
      async () => {
        if (granted !== undefined) await release(granted);
        await warmed(FRAME);
      },
    );
    const { hits, misses } = await stock(daemon.broker);
    assert.deepEqual([hits - before.hits, misses - before.misses], [BigInt(TIMES), 0n]);
    process.stdout.write(`the heap takes ${fresh.toFixed(2)} ms, the stock ${warm.toFixed(2)} ms\n`);
    assert(fresh >= 8 * warm, `the heap takes ${fresh} ms, the stock ${warm} ms`);
  });

  it('shows only zeroes, however often a buffer is used again', async () => {
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
    process.stdout.write(`${uses} uses of ${seen.size} buffers\n`);
  });
});
