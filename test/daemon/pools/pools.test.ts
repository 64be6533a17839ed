import { describe, expect, it } from 'vitest';

import { planPools } from '../../../daemon/sizing/plan.js';
import type { Pool } from '../../../daemon/pools/pool.js';
import { Pools } from '../../../daemon/pools/pools.js';
import { FakeDmaBuf, FakeHeap, FakePressure } from '../fake-heap.js';
import { CMA, heapFacts, machine, MEMFD, MIB, policyOf, SYSTEM } from '../machine.js';
import { ManualTimers } from '../manual-timers.js';

const OTHER = heapFacts('udmabuf', { kind: 'udmabuf', name: 'udmabuf' });
const FACTS = [SYSTEM, OTHER, CMA, MEMFD];

function poolsOf(heaps: readonly FakeHeap[]): Pools {
  let next = 0;
  const timers = new ManualTimers();
  const buffers = new FakeDmaBuf();
  const pools = new Pools({
    randomHex: (bytes) => (next++).toString(16).padStart(2 * bytes, '0'),
    buffers,
    inUse: (fd) => buffers.references(fd) > 1,
    pressure: new FakePressure(),
    later: timers.later,
    clock: timers.clock,
    changed: () => undefined,
  });
  pools.adopt(heaps);
  return pools;
}

function rig(): { pools: Pools; heaps: FakeHeap[]; apply: (text: string) => ReturnType<Pools['apply']> } {
  const heaps = FACTS.map(({ id, kind }) => new FakeHeap(id, kind !== 'memfd'));
  const pools = poolsOf(heaps);
  return { pools, heaps, apply: (text) => pools.apply(planPools(machine(FACTS), policyOf(text))) };
}

const heapsOf = (pools: Pools): string[] => pools.list().map(({ pool }) => pool.facts.id);
const byHeap = (pools: Pools, id: string): Pool => {
  const found = pools.list().find(({ pool }) => pool.facts.id === id);
  if (found === undefined) throw new Error(`no pool of ${id}`);
  return found.pool;
};

describe('Pools', () => {
  it('lists the pools of a plan in its order, each with a handle of its own and its limit', () => {
    const { pools, apply } = rig();
    const { added, removed, changed } = apply('[Pool scattered]\nLimit=10M\n');
    expect(heapsOf(pools)).toEqual([SYSTEM.id, OTHER.id, MEMFD.id, CMA.id]);
    expect(new Set(pools.list().map(({ pool }) => pool.handle)).size).toBe(4);
    expect(byHeap(pools, SYSTEM.id).view().limit).toBe(10n * MIB);
    expect([added.length, removed.length, changed.length]).toEqual([4, 0, 0]);
  });

  it('has no pool of a heap that could not be opened', () => {
    const pools = poolsOf([new FakeHeap(CMA.id)]);
    pools.apply(planPools(machine(FACTS), policyOf('')));
    expect(heapsOf(pools)).toEqual([CMA.id]);
  });

  it('keeps handles and what is out over a new plan, and takes its limits', () => {
    const { pools, apply } = rig();
    apply('[Pool scattered]\nLimit=10M\n');
    const pool = byHeap(pools, SYSTEM.id);
    pool.budget.reserve(MIB);
    const { added, removed, changed } = apply('[Pool scattered]\nLimit=5M\n');
    expect(pools.get(pool.handle)).toBe(pool);
    expect(pool.view()).toMatchObject({ limit: 5n * MIB, live: MIB });
    expect([added, removed]).toEqual([[], []]);
    expect(changed.map(({ facts }) => facts.id)).toEqual([SYSTEM.id, OTHER.id]);
  });

  it('takes an administrator’s limit back, and says so', () => {
    const { pools, apply } = rig();
    apply('[Pool plain]\nLimit=10M\n');
    const pool = byHeap(pools, MEMFD.id);
    pool.limitTo(MIB);
    expect(apply('[Pool plain]\nLimit=10M\n').changed).toEqual([pool]);
    expect(pool.view().limit).toBe(10n * MIB);
  });

  it('takes a pool off the list and remembers what is out, in case it comes back', () => {
    const { pools, apply } = rig();
    apply('');
    const pool = byHeap(pools, CMA.id);
    pool.budget.reserve(MIB);
    expect(apply('[Heap name=reserved]\nUse=no\n').removed).toEqual([pool]);
    expect(pools.get(pool.handle)).toBeUndefined();
    expect(pool.budget.available).toBe(0n);
    expect(apply('').added).toEqual([pool]);
    expect(pool.view().live).toBe(MIB);
  });

  it('counts what is out of a pool that is off the list against its class', () => {
    const { pools, apply } = rig();
    apply('[Pool scattered]\nLimit=10M\n');
    byHeap(pools, SYSTEM.id).budget.reserve(8n * MIB);
    apply('[Heap name=system]\nUse=no\n[Pool scattered]\nLimit=10M\n');
    expect(byHeap(pools, OTHER.id).budget.available).toBe(2n * MIB);
  });

  it('makes another pool of a heap whose class changed', () => {
    const { pools, apply } = rig();
    apply('');
    const before = byHeap(pools, SYSTEM.id).handle;
    const { added, removed } = apply('[Heap name=system]\nClass=device\n');
    expect(added.map((pool) => pool.class)).toEqual(['device']);
    expect(removed.map(({ handle }) => handle)).toEqual([before]);
    expect(byHeap(pools, SYSTEM.id).handle).not.toBe(before);
  });

  it('lets a heap with memory of its own have its limit alone', () => {
    const { pools, apply } = rig();
    apply('[Heap name=system]\nClass=contiguous\n[Pool contiguous]\nLimit=20M\n');
    byHeap(pools, SYSTEM.id).budget.reserve(20n * MIB);
    expect(byHeap(pools, CMA.id).budget.available).toBe(20n * MIB);
  });

  it('keeps the limit that an administrator gave, when it is told to', () => {
    const { pools, apply } = rig();
    apply('[Pool plain]\nLimit=10M\n');
    const pool = byHeap(pools, MEMFD.id);
    pool.limitTo(MIB);
    const plans = planPools(machine(FACTS), policyOf('[Pool plain]\nLimit=10M\n'));
    expect(pools.apply(plans, (one) => (one === pool ? MIB : undefined)).changed).toEqual([]);
    expect(pool.view().limit).toBe(MIB);
  });

  it('closes the heap that is gone and its pools, of every class, and no others', () => {
    const { pools, heaps, apply } = rig();
    apply('');
    const contiguous = byHeap(pools, CMA.id);
    apply('[Heap name=reserved]\nClass=device\n');
    const device = byHeap(pools, CMA.id);
    const others = heaps.filter(({ id }) => id !== CMA.id);
    expect(new Set(pools.adopt(others))).toEqual(new Set([contiguous, device]));
    expect(heaps.filter(({ closed }) => closed).map(({ id }) => id)).toEqual([CMA.id]);
    expect([contiguous.closed, device.closed]).toEqual([true, true]);
    expect(apply('').removed).toEqual([device]);
    expect(heapsOf(pools)).toEqual([SYSTEM.id, OTHER.id, MEMFD.id]);
    expect(pools.adopt(others)).toEqual([]);
  });

  it('makes a pool of its own for a heap that took the place of another', () => {
    const { pools, heaps, apply } = rig();
    apply('');
    const before = byHeap(pools, CMA.id);
    pools.adopt(heaps.map((heap) => (heap.id === CMA.id ? new FakeHeap(CMA.id) : heap)));
    const { added, removed } = apply('');
    expect(removed).toEqual([before]);
    expect(added).toEqual([byHeap(pools, CMA.id)]);
    expect(added[0]?.handle).not.toBe(before.handle);
  });

  it('counts what is out of a closed pool against its class, and forgets it once that came back', async () => {
    const { pools, heaps, apply } = rig();
    apply('[Pool scattered]\nLimit=10M\n');
    const gone = byHeap(pools, OTHER.id);
    const taken = await gone.take(8n * MIB, 1);
    if (!taken.ok) throw new Error(taken.lacks);
    const others = heaps.filter(({ id }) => id !== OTHER.id);
    pools.adopt(others);
    apply('[Pool scattered]\nLimit=10M\n');
    expect(byHeap(pools, SYSTEM.id).budget.available).toBe(2n * MIB);
    await expect(gone.take(MIB, 1)).resolves.toMatchObject({ ok: false });
    for (const buffer of taken.buffers) gone.free(buffer);
    expect([gone.view().live, gone.view().warm]).toEqual([0n, 0n]);
    expect(byHeap(pools, SYSTEM.id).budget.available).toBe(10n * MIB);
    // Nothing that happens to it counts any more.
    pools.adopt(others);
    gone.budget.allowance = { limit: 100n * MIB, warm: 0n };
    expect(gone.budget.reserve(5n * MIB)).toBe(true);
    expect(byHeap(pools, SYSTEM.id).budget.available).toBe(10n * MIB);
  });

  it('closes its heaps', () => {
    const { pools, heaps } = rig();
    pools.close();
    expect(heaps.every(({ closed }) => closed)).toBe(true);
  });
});
