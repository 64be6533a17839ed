import { openSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';

import { describe, expect, it } from 'vitest';

import { OwnedFd } from '../../../dbus/owned-fd.js';
import type { Heap } from '../../../daemon/heaps/heap.js';
import { planPools } from '../../../daemon/sizing/plan.js';
import type { Pool, PoolBuffer } from '../../../daemon/pools/pool.js';
import { Pools } from '../../../daemon/pools/pools.js';
import { DAY, requestsOfDay } from '../../harness/day.js';
import { openFds } from '../../harness/leaks.js';
import { randomFrom } from '../../harness/random.js';
import { FakePressure } from '../fake-heap.js';
import { machine, policyOf, SYSTEM } from '../machine.js';
import { ManualTimers } from '../manual-timers.js';

const IDLE = 5 * 60_000;

/** A heap of descriptors that are of no memory. */
class LightHeap implements Heap {
  readonly id = SYSTEM.id;
  readonly countsReferences = true;
  readonly follow = undefined;
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
    const policy = policyOf(`[Pool scattered]\nLimit=${DAY.limit}\nWarm=${DAY.warm}\nIdle=${IDLE / 1000}\n`);
    pools.apply(planPools(machine([SYSTEM]), policy));
    const [pool] = pools.list().map((listed): Pool => listed.pool);
    if (pool === undefined) throw new Error('a pool');
    const before = openFds(process.pid).size;

    let held: Held[] = [];
    let atStart = pool.view();
    let mostFds = 0;
    let i = 0;
    for (const { size, count, held: time } of requestsOfDay(randomFrom(1), DAY.requests)) {
      timers.pass(DAY.pace);
      const now = timers.clock();
      for (const { until, buffers } of held)
        if (until <= now) for (const buffer of buffers) pool.free(buffer);
      held = held.filter(({ until }) => until > now);
      const taken = await pool.take(size, count);
      if (!taken.ok) throw new Error(`request ${i}: ${taken.lacks}`);
      held.push({ until: now + time, buffers: taken.buffers });
      await turn();
      const { live, warm } = pool.view();
      if (warm > DAY.warm || live + warm > DAY.limit)
        throw new Error(`request ${i}: ${live} and ${warm} bytes`);
      if (i === DAY.start) atStart = pool.view();
      if (i % 1000 === 0) mostFds = Math.max(mostFds, openFds(process.pid).size);
      i += 1;
    }

    const { hits, misses } = pool.view();
    const [newHits, newMisses] = [Number(hits - atStart.hits), Number(misses - atStart.misses)];
    expect(newHits / (newHits + newMisses)).toBeGreaterThan(DAY.hits);
    expect(mostFds - before).toBeLessThan(1000);
    for (const { buffers } of held) for (const buffer of buffers) pool.free(buffer);
    timers.pass(2 * IDLE);
    await turn();
    timers.pass(2 * IDLE);
    expect(pool.view()).toMatchObject({ live: 0n, warm: 0n });
    expect(pool.budget.spare).toBe(0n);
    expect(timers.pending).toBe(0);
    pools.close();
    // Seconds of work, on a machine that may be busy.
  }, 120_000);
});
