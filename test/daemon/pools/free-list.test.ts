import { writeSync } from 'node:fs';
import { describe, expect, it, vi } from 'vitest';

import type { PoolBuffer } from '../../../daemon/pools/pool.js';
import { buffersOpen, PAGE } from '../fake-heap.js';
import { CMA, heapFacts, MEMFD } from '../machine.js';
import { expectNoBuffersOpen, freeAll, makeTools, poolRig, taken } from './rig.js';

const MANY = 64n * PAGE;
const only = ([buffer]: readonly PoolBuffer[]): PoolBuffer => {
  if (buffer === undefined) throw new Error('no buffer');
  return buffer;
};

describe("a pool's stock", () => {
  expectNoBuffersOpen();

  it('is filled with what was asked, soon after, and the next request is served from it', async () => {
    const rig = poolRig({ warm: MANY });
    const { pool, heap, settle } = rig;
    const first = await taken(pool, 2n * PAGE, 3);
    await settle();
    expect(pool.view()).toMatchObject({ live: 6n * PAGE, warm: 6n * PAGE, hits: 0n, misses: 3n });
    heap.holdsBack = true;
    const second = await taken(pool, 2n * PAGE - 1n, 2);
    expect(pool.view()).toMatchObject({ live: 10n * PAGE, warm: 2n * PAGE, hits: 2n, misses: 3n });
    freeAll([...first, ...second]);
    heap.letGo();
    await settle();
  });

  it('mixes ready buffers with fresh ones', async () => {
    const { pool, settle } = poolRig({ warm: PAGE });
    freeAll(await taken(pool, PAGE, 1));
    await settle();
    const buffers = await taken(pool, PAGE, 3);
    expect(pool.view()).toMatchObject({ hits: 1n, misses: 3n, live: 3n * PAGE });
    expect(new Set(buffers.map(({ fd }) => fd.number)).size).toBe(3);
    freeAll(buffers);
    await settle();
  });

  it.each(['ENOMEM', 'EINVAL'] as const)(
    'is as before when the fresh ones of a mixed request fail (%s)',
    async (code) => {
      const { pool, heap, settle } = poolRig({ warm: PAGE });
      freeAll(await taken(pool, PAGE, 1));
      await settle();
      const before = pool.view();
      heap.faults = [undefined, code, code];
      const request = pool.take(PAGE, 3);
      if (code === 'EINVAL') await expect(request).rejects.toMatchObject({ code });
      else expect(await request).toEqual({ ok: false, lacks: 'memory' });
      expect(pool.view()).toMatchObject({ live: 0n, hits: before.hits, misses: before.misses });
      if (code === 'EINVAL') expect(pool.view()).toEqual(before);
    },
  );

  it('takes back what nobody holds any more, without a label and zeroed, and gives it as another buffer', async () => {
    const { pool, heap, dmaBuf, settle } = poolRig({ warm: MANY });
    const buffer = only(await taken(pool, PAGE, 1));
    const inode = dmaBuf.inode(buffer.fd.number);
    writeSync(buffer.fd.number, 'secret');
    dmaBuf.setName(buffer.fd.number, 'mine');
    pool.free(buffer);
    expect(buffer.fd.open).toBe(false);
    expect(pool.view()).toMatchObject({ live: 0n, warm: 0n });
    await settle();
    expect(pool.view().warm).toBe(PAGE);
    expect(heap.made).toBe(1);
    const again = only(await taken(pool, PAGE, 1));
    expect(again).not.toBe(buffer);
    expect(dmaBuf.inode(again.fd.number)).toBe(inode);
    expect(dmaBuf.names.get(inode)).toBe('');
    expect(dmaBuf.isZero(again.fd.number)).toBe(true);
    pool.free(again);
  });

  it.each(['references', 'signalled', 'setName', 'clear'] as const)(
    'ends a buffer that cannot be made clean: %s fails',
    async (call) => {
      const { pool, dmaBuf, settle } = poolRig({ warm: PAGE });
      const buffer = only(await taken(pool, PAGE, 1));
      dmaBuf.fail.add(call);
      pool.free(buffer);
      await settle();
      expect(dmaBuf.fail.size).toBe(0);
      expect(pool.budget.spare).toBe(pool.view().warm);
      expect(pool.view().live).toBe(0n);
      pool.close();
      expect(pool.budget.spare).toBe(0n);
    },
  );

  it('never takes back what others still have, nor what a device still works on', async () => {
    const { pool, heap, dmaBuf, settle } = poolRig({ warm: 2n * PAGE });
    const [held, busy] = await taken(pool, PAGE, 2);
    if (held === undefined || busy === undefined) throw new Error('two buffers');
    using copy = held.fd.dup();
    dmaBuf.busy.add(dmaBuf.inode(busy.fd.number));
    const ours = dmaBuf.inode(copy.number);
    freeAll([held, busy]);
    await settle();
    expect(pool.view().warm).toBe(2n * PAGE);
    expect(heap.made).toBe(4);
    await vi.waitFor(() => {
      expect(buffersOpen().filter((inode) => inode === ours)).toHaveLength(1);
    });
  });

  it.each([
    ['whose references cannot be counted', { facts: MEMFD, countsReferences: false }],
    ['that the CPU cannot clear', { facts: heapFacts('secure', { cpuAccess: 'none' }) }],
  ])('is made of fresh memory alone where it is memory %s', async (_what, options) => {
    const { pool, heap, settle } = poolRig({ ...options, warm: MANY });
    freeAll(await taken(pool, PAGE, 1));
    await settle();
    expect(heap.made).toBe(2);
    const next = await taken(pool, PAGE, 1);
    expect(pool.view().hits).toBe(1n);
    freeAll(next);
    await settle();
    expect(heap.made).toBe(4);
  });

  it('keeps to the warm budget, and keeps what is asked most', async () => {
    const { pool, settle } = poolRig({ warm: 3n * PAGE });
    freeAll(await taken(pool, 2n * PAGE, 1));
    freeAll(await taken(pool, PAGE, 1));
    for (let i = 0; i < 4; i += 1) freeAll(await taken(pool, PAGE, 1));
    await settle();
    expect(pool.view().warm <= 3n * PAGE).toBe(true);
    const { hits } = pool.view();
    freeAll(await taken(pool, PAGE, 1));
    expect(pool.view().hits).toBe(hits + 1n);
    await settle();
  });

  it('keeps nothing that policy does not let it keep', async () => {
    const { pool, timers, settle } = poolRig({ warm: 0n });
    freeAll(await taken(pool, PAGE, 2));
    expect(timers.pending).toBe(0);
    await settle();
    expect(pool.view()).toMatchObject({ live: 0n, warm: 0n });
  });

  it('makes room of what no size should have any more for one that lacks', async () => {
    const { pool, settle } = poolRig({ warm: 4n * PAGE, idle: Infinity });
    freeAll(await taken(pool, PAGE, 4));
    await settle();
    expect(pool.view().warm).toBe(4n * PAGE);
    for (let i = 0; i < 6; i += 1) freeAll(await taken(pool, 4n * PAGE, 1));
    await settle();
    const { hits } = pool.view();
    freeAll(await taken(pool, 4n * PAGE, 1));
    expect(pool.view().hits).toBe(hits + 1n);
    await settle();
  });
});

describe('stock and limit', () => {
  expectNoBuffersOpen();

  it('gives way to a request at once', async () => {
    const { pool, settle } = poolRig({ limit: 4n * PAGE, warm: 4n * PAGE });
    freeAll(await taken(pool, PAGE, 4));
    await settle();
    expect(pool.view().warm).toBe(4n * PAGE);
    expect(pool.budget.available).toBe(4n * PAGE);
    const large = await taken(pool, 3n * PAGE, 1);
    expect(pool.view()).toMatchObject({ live: 3n * PAGE, warm: PAGE });
    freeAll(large);
    await settle();
  });

  it('gives way to another pool on the same memory', async () => {
    const shared = makeTools();
    const sharing = new Set<PoolBuffer['pool']['budget']>();
    const options = { limit: 4n * PAGE, warm: 4n * PAGE, shared, sharing };
    const [a, b] = [poolRig(options), poolRig(options)];
    freeAll(await taken(a.pool, PAGE, 4));
    await a.settle();
    const buffers = await taken(b.pool, 2n * PAGE, 2);
    expect([a.pool.view().warm, b.pool.view().live]).toEqual([0n, 4n * PAGE]);
    expect(a.changes()).toBeGreaterThan(0);
    freeAll(buffers);
    await b.settle();
  });

  it('has a request wait for what is just being made, instead of refusing it', async () => {
    const { pool, heap, timers, settle } = poolRig({ limit: 4n * PAGE, warm: 4n * PAGE });
    freeAll(await taken(pool, PAGE, 1));
    heap.holdsBack = true;
    timers.pass(50);
    await Promise.resolve();
    const request = pool.take(4n * PAGE, 1);
    heap.letGo();
    const result = await request;
    expect(result.ok).toBe(true);
    if (result.ok) freeAll(result.buffers);
    await settle();
  });

  it('goes at once when the limit or the warm budget falls, and what is out stays', async () => {
    const { pool, settle } = poolRig({ limit: 8n * PAGE, warm: 4n * PAGE });
    const held = await taken(pool, PAGE, 3);
    await settle();
    expect(pool.view()).toMatchObject({ live: 3n * PAGE, warm: 3n * PAGE });
    pool.limitTo(5n * PAGE);
    expect(pool.view()).toMatchObject({ live: 3n * PAGE, warm: 2n * PAGE });
    pool.limitTo(PAGE);
    expect(pool.view()).toMatchObject({ live: 3n * PAGE, warm: 0n, limit: PAGE });
    freeAll(held);
    await settle();
    expect(pool.view().live).toBe(0n);
    pool.agree({ limit: 8n * PAGE, warm: 0n, idle: 0 });
    pool.trim();
    expect(pool.view().warm).toBe(0n);
  });

  it('lets a limit below what is out take effect as it comes back', async () => {
    const { pool, settle } = poolRig({ limit: 4n * PAGE, warm: 2n * PAGE });
    const buffers = await taken(pool, PAGE, 4);
    pool.limitTo(2n * PAGE);
    expect(await pool.take(PAGE, 1)).toEqual({ ok: false, lacks: 'budget' });
    freeAll(buffers.slice(0, 2));
    await settle();
    expect(pool.view()).toMatchObject({ live: 2n * PAGE, warm: 0n });
    freeAll(buffers.slice(2, 3));
    await settle();
    const one = await taken(pool, PAGE, 1);
    freeAll([...buffers.slice(3), ...one]);
    await settle();
    expect(pool.view().live).toBe(0n);
  });

  it('gives way when the heap has no memory', async () => {
    const { pool, heap, settle } = poolRig({ facts: CMA, warm: 4n * PAGE });
    freeAll(await taken(pool, PAGE, 4));
    await settle();
    expect(pool.view().warm).toBe(4n * PAGE);
    heap.faults = ['ENOMEM'];
    const large = await taken(pool, 8n * PAGE, 1);
    expect(pool.view()).toMatchObject({ live: 8n * PAGE, warm: 0n });
    freeAll(large);
    await settle();
  });
});

describe('stock and a machine that is short of memory', () => {
  expectNoBuffersOpen();

  it('is not refilled, and takes nothing back', async () => {
    const { pool, plenty: headroom, settle } = poolRig({ warm: MANY });
    headroom.mayKeep = false;
    freeAll(await taken(pool, PAGE, 3));
    await settle();
    expect(pool.view()).toMatchObject({ live: 0n, warm: 0n });
  });

  it('is not refilled beyond what there is plenty of', async () => {
    const { pool, plenty: headroom, settle } = poolRig({ warm: MANY });
    headroom.most = PAGE;
    const held = [...(await taken(pool, 2n * PAGE, 1)), ...(await taken(pool, PAGE, 1))];
    await settle();
    expect(pool.view().warm).toBe(PAGE);
    freeAll(held);
  });

  it('gives back half, then all', async () => {
    const { pool, settle } = poolRig({ warm: 4n * PAGE });
    freeAll(await taken(pool, PAGE, 4));
    await settle();
    pool.shrink('half');
    expect(pool.view().warm).toBe(2n * PAGE);
    pool.shrink('all');
    expect(pool.view().warm).toBe(0n);
    expect(pool.budget.spare).toBe(0n);
  });
});

describe('a refill that fails', () => {
  expectNoBuffersOpen();

  it.each(['ENOMEM', 'size'] as const)(
    'gives everything back, and leaves the heap alone for a while (%s)',
    async (what) => {
      const { pool, heap, dmaBuf, timers, settle } = poolRig({ warm: 4n * PAGE });
      const held = [...(await taken(pool, PAGE, 1))];
      if (what === 'size') dmaBuf.fail.add('size');
      else heap.faults = [what];
      await settle();
      expect([pool.budget.spare, pool.view().warm]).toEqual([0n, 0n]);
      const { made } = heap;
      held.push(...(await taken(pool, PAGE, 1)));
      await settle();
      expect(heap.made).toBe(made + 1);
      timers.pass(10_000);
      held.push(...(await taken(pool, PAGE, 1)));
      await settle();
      expect(pool.view().warm).toBe(3n * PAGE);
      freeAll(held);
    },
  );
});

describe('time', () => {
  expectNoBuffersOpen();

  it('takes the sizes that nobody asked for', async () => {
    const { pool, timers, settle } = poolRig({ warm: MANY, idle: 60_000 });
    freeAll(await taken(pool, PAGE, 1));
    await settle();
    timers.pass(30_000);
    freeAll(await taken(pool, 2n * PAGE, 1));
    await settle();
    expect(pool.view().warm).toBe(3n * PAGE);
    timers.pass(30_000);
    pool.expire();
    expect(pool.view().warm).toBe(2n * PAGE);
    timers.pass(30_000);
    pool.expire();
    expect(pool.view().warm).toBe(0n);
    expect(pool.expiry).toBe(Infinity);
  });

  it('takes what lies beside what should, though the size is asked', async () => {
    const { pool, timers, settle } = poolRig({ warm: MANY, idle: 60_000 });
    freeAll(await taken(pool, PAGE, 8));
    await settle();
    expect(pool.view().warm).toBe(8n * PAGE);
    for (let i = 0; i < 10; i += 1) {
      timers.pass(30_000);
      freeAll(await taken(pool, PAGE, 1));
      await settle();
      pool.expire();
    }
    expect(pool.view().warm < 5n * PAGE).toBe(true);
    expect(pool.view().warm >= PAGE).toBe(true);
  });
});

describe('a pool that is closed', () => {
  expectNoBuffersOpen();

  it('ends what is ready, what is on its way and what comes back later', async () => {
    const { pool, heap, timers, settle } = poolRig({ warm: MANY });
    const buffers = await taken(pool, PAGE, 3);
    await settle();
    pool.free(only(buffers.slice(0, 1)));
    heap.holdsBack = true;
    freeAll(await taken(pool, PAGE, 1));
    timers.pass(50);
    pool.close();
    heap.letGo();
    await settle();
    freeAll(buffers.slice(1));
    await settle();
    expect([pool.budget.spare, pool.view().warm, pool.view().live]).toEqual([0n, 0n, 0n]);
  });
});
