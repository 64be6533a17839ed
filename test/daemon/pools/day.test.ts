import { openSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';

import { describe, expect, it } from 'vitest';

import { OwnedFd } from '../../../dbus/owned-fd.js';
import type { Heap } from '../../../daemon/heaps/heap.js';
import { planPools } from '../../../daemon/pools/plan.js';
import type { Pool, PoolBuffer } from '../../../daemon/pools/pool.js';
import { Pools } from '../../../daemon/pools/pools.js';
import { openFds } from '../../harness/leaks.js';
import { FakePressure } from '../fake-heap.js';
import { machine, MIB, policyOf, SYSTEM } from '../machine.js';
import { ManualTimers } from '../manual-timers.js';

const REQUESTS = 100_000;
/** Requests until the stock knows what is asked. */
const START = 2000;
/** Milliseconds between two requests of a day. */
const PACE = 86_400_000 / REQUESTS;
const LIMIT = 1024n * MIB;
const WARM = 384n * MIB;
const IDLE = 5 * 60_000;

/** Pictures of ten sizes at four depths: 40 sizes from 75 KiB to 33 MB, small ones asked most. */
const SIZES = [
  [160, 120],
  [320, 240],
  [640, 360],
  [640, 480],
  [1024, 768],
  [1280, 720],
  [1366, 768],
  [1920, 1080],
  [2560, 1440],
  [3840, 2160],
]
  .flatMap(([width = 0, height = 0]) => [1, 1.5, 2, 4].map((bytes) => BigInt(width * height * bytes)))
  .toSorted((a, b) => Number(a - b));

/** Numbers from 0 to 1 that are the same in every run (mulberry32). */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Index of a size: the n-th is asked 1/n as often as the first. */
function zipf(random: () => number): () => number {
  const weights = SIZES.map((_, i) => 1 / (i + 1));
  const sum = weights.reduce((a, b) => a + b, 0);
  return () => {
    let left = random() * sum;
    return weights.findIndex((weight) => (left -= weight) < 0);
  };
}

/** A heap of descriptors that are of no memory. */
class LightHeap implements Heap {
  readonly id = SYSTEM.id;
  readonly countsReferences = true;
  readonly sizes = new Map<number, bigint>();
  made = 0;

  allocate(size: bigint): Promise<OwnedFd> {
    const fd = new OwnedFd(openSync('/dev/null', 'r'));
    this.sizes.set(fd.number, size);
    this.made += 1;
    return Promise.resolve(fd);
  }

  close(): void {
    // It has no node.
  }
}

interface Held {
  readonly until: number;
  readonly buffers: readonly PoolBuffer[];
}

describe('a day of mixed sizes', () => {
  it('ends within the limits, served from stock for more than nine in ten, and without growth', async () => {
    const timers = new ManualTimers();
    const heap = new LightHeap();
    const buffers = {
      size: (fd: number) => heap.sizes.get(fd) ?? 0n,
      setName: () => undefined,
      clear: () => Promise.resolve(),
    };
    const pools = new Pools({
      randomHex: () => 'aa',
      buffers,
      inUse: () => false,
      pressure: new FakePressure(),
      later: timers.later,
      clock: timers.clock,
      changed: () => undefined,
    });
    pools.adopt([heap]);
    const policy = policyOf(`[Pool scattered]\nLimit=${LIMIT}\nWarm=${WARM}\nIdle=${IDLE / 1000}\n`);
    pools.apply(planPools(machine([SYSTEM]), policy));
    const [pool] = pools.list().map((listed): Pool => listed.pool);
    if (pool === undefined) throw new Error('a pool');
    const before = openFds(process.pid).size;

    const random = numbers(1);
    const nextSize = zipf(random);
    let held: Held[] = [];
    let atStart = pool.view();
    let mostFds = 0;
    for (let i = 0; i < REQUESTS; i += 1) {
      timers.pass(PACE);
      const now = timers.clock();
      for (const { until, buffers } of held)
        if (until <= now) for (const buffer of buffers) pool.free(buffer);
      held = held.filter(({ until }) => until > now);
      const size = SIZES[nextSize()] ?? 0n;
      // From one buffer to a swap chain of four, held for half a minute as a mean.
      const taken = await pool.take(size, 1 + Math.floor(random() * 4));
      if (!taken.ok) throw new Error(`request ${i}: ${taken.lacks}`);
      held.push({ until: now - 30_000 * Math.log(1 - random()), buffers: taken.buffers });
      await turn();
      const { live, warm } = pool.view();
      if (warm > WARM || live + warm > LIMIT) throw new Error(`request ${i}: ${live} and ${warm} bytes`);
      if (i === START) atStart = pool.view();
      if (i % 1000 === 0) mostFds = Math.max(mostFds, openFds(process.pid).size);
    }

    const { hits, misses } = pool.view();
    const [newHits, newMisses] = [Number(hits - atStart.hits), Number(misses - atStart.misses)];
    expect(newHits / (newHits + newMisses)).toBeGreaterThan(0.9);
    expect(mostFds - before).toBeLessThan(1000);
    for (const { buffers } of held) for (const buffer of buffers) pool.free(buffer);
    timers.pass(2 * IDLE);
    await turn();
    timers.pass(2 * IDLE);
    expect(pool.view()).toMatchObject({ live: 0n, warm: 0n });
    expect(pool.budget.spare).toBe(0n);
    expect(timers.pending).toBe(0);
    pools.close();
  });
});
