import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import type { Allocation, PoolInfo } from '../../../client/index.js';
import { DAY, requestsOfDay } from '../../harness/day.js';
import { measure, MEASURABLE, type MemorySample } from '../../harness/memory-growth.js';
import { randomFrom } from '../../harness/random.js';
import { nothingLives, openFds, startDaemon, until, type RunningDaemon } from '../rig/daemon.js';
import { localPolicy } from '../rig/local-policy.js';

/**
 * Of a day's requests, so many that they take a minute or two under emulation, where one costs a tenth of a second; all of
 * them with `--long`. The share that stock serves is held to its bound in the long run alone, and always in
 * test/daemon/pools/day.test.ts: it takes so long until the stock knows what is asked.
 */
const SHARE = 150;
const REQUESTS = process.env['DMABROKER_VM_LONG'] ? DAY.requests : SHARE;
/** Requests between two looks at the pools. */
const LOOK = 50;
/** Requests before the daemon is looked at for the first time, so that its code is compiled. */
const WARM_UP = 100;
/** Bytes that the daemon may hold more of in the end: compiled code, and in a long run less than 50 for each request. */
const GROWTH = 4 * 2 ** 20;

const policyWith = (warm: bigint): string =>
  [
    ...['[Pool scattered]', `Limit=${DAY.limit}`, `Warm=${warm}`, 'Idle=1h'],
    ...['[Quota]', 'Bytes=1T', 'ClientBytes=1T', 'UnitBytes=1T', 'Rate=100000', 'Burst=100000', ''],
  ].join('\n');

let daemon: RunningDaemon;

before(async () => {
  using _policy = localPolicy(policyWith(DAY.warm));
  daemon = await startDaemon([], { env: MEASURABLE });
});
after(() => daemon[Symbol.asyncDispose]());

/** The pool that everything comes from. */
async function pool(): Promise<PoolInfo> {
  const used = (await daemon.broker.pools()).filter(({ hits, misses }) => hits + misses > 0n);
  assert(used.length <= 1);
  const [only] = used;
  assert(only !== undefined);
  return only;
}

/** Asks for buffers one after the other, and gives each back when its time of the day has come. */
async function passDay(count: number, seed: number, seen: (index: number) => Promise<void>): Promise<void> {
  const { broker } = daemon;
  const held = new Map<number, Allocation[]>();
  let index = 0;
  for (const request of requestsOfDay(randomFrom(seed), count)) {
    for (const allocation of held.get(index) ?? []) await allocation.release();
    held.delete(index);
    const { size, count: buffers } = request;
    const allocation = await broker.allocate([{ device: 'cpu', uses: ['read', 'write'] }], {
      size: Number(size),
      count: buffers,
    });
    const end = index + Math.max(1, Math.round(request.held / DAY.pace));
    held.set(end, [...(held.get(end) ?? []), allocation]);
    await seen(index);
    index += 1;
  }
  for (const allocation of [...held.values()].flat()) await allocation.release();
  await nothingLives(broker);
}

/** What the daemon is left with when nothing lives and nothing lies ready. */
async function rest(): Promise<MemorySample & { readonly fds: number }> {
  const { broker, pid } = daemon;
  {
    using _none = localPolicy(policyWith(0n));
    await broker.reload();
  }
  await until('nothing lies ready', async () => ((await pool()).warm === 0n ? true : undefined));
  const memory = await measure(daemon, until);
  const fds = openFds(pid);
  using _again = localPolicy(policyWith(DAY.warm));
  await broker.reload();
  return { ...memory, fds };
}

describe('a day of requests', () => {
  it(`serves ${REQUESTS} requests of mixed sizes within the limits and without growth`, async (test) => {
    await passDay(WARM_UP, 2, () => Promise.resolve());
    const before = await rest();

    const started = performance.now();
    let atStart = await pool();
    await passDay(REQUESTS, 1, async (index) => {
      if (index % LOOK !== 0) return;
      const now = await pool();
      assert(now.warm <= DAY.warm && now.live + now.warm <= DAY.limit, `${now.live} and ${now.warm} bytes`);
      if (index === DAY.start) atStart = now;
    });
    const took = performance.now() - started;

    const { hits, misses } = await pool();
    const [newHits, newMisses] = [Number(hits - atStart.hits), Number(misses - atStart.misses)];
    const rate = newHits / (newHits + newMisses);
    const after = await rest();
    const share = `${(rate * 100).toFixed(1)} % of ${newHits + newMisses} buffers came from stock`;
    test.diagnostic(`${share}; ${(took / REQUESTS).toFixed(0)} ms a request`);
    test.diagnostic(
      `bytes held: ${before.held}, then ${after.held}; descriptors: ${before.fds}, then ${after.fds}`,
    );
    if (REQUESTS > DAY.start) assert(rate > DAY.hits, share);
    assert.equal(after.fds, before.fds);
    assert(after.held - before.held < GROWTH, `${after.held - before.held} bytes more are held`);
  });
});
