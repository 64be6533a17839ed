import { afterEach, describe, expect, it } from 'vitest';

import { Ledger } from '../../../daemon/ledger/ledger.js';
import type { AllocationView, Owner } from '../../../daemon/ledger/ledger-types.js';
import type { PoolBuffer } from '../../../daemon/pools/pool.js';
import { PAGE } from '../fake-heap.js';
import { ManualTimers } from '../manual-timers.js';
import { buffersOf, OWNER, poolOf, termsOf } from './orphaned-buffers.js';

const OTHER: Owner = { ...OWNER, name: ':1.2' };

function rig(): {
  ledger: Ledger;
  timers: ManualTimers;
  inUse: Set<PoolBuffer>;
  heard: string[];
} {
  const timers = new ManualTimers();
  const inUse = new Set<PoolBuffer>();
  const heard: string[] = [];
  let next = 0;
  const hear =
    (what: string) =>
    ({ id, state, layout }: AllocationView): void =>
      void heard.push(`${what} ${id} ${state} ${layout.count}`);
  const ledger = new Ledger({
    randomHex: () => String(next++),
    now: () => 42n,
    later: timers.later,
    clock: timers.clock,
    inUse: (buffer) => inUse.has(buffer),
    events: {
      allocationAdded: hear('added'),
      allocationChanged: hear('changed'),
      allocationRemoved: hear('removed'),
      poolsUsed: (pools) => void heard.push(`pools ${pools.size}`),
    },
  });
  return { ledger, timers, inUse, heard };
}

const totals = ({ liveBytes, liveBuffers }: Ledger): [bigint, number] => [liveBytes, liveBuffers];

describe('Ledger', () => {
  const pool = poolOf();
  afterEach(() => {
    expect(pool.budget.live).toBe(0n);
  });

  it('shows what it records', () => {
    const { ledger, heard } = rig();
    const allocation = ledger.record(termsOf(pool), buffersOf(pool, 2));
    expect(ledger.views()).toEqual([
      {
        id: '0',
        owner: OWNER,
        label: '',
        layout: { size: PAGE, cpuAccess: 'cached', count: 2, pool: 'h' },
        size: 2n * PAGE,
        created: 42n,
        state: 'held',
      },
    ]);
    expect(totals(ledger)).toEqual([2n * PAGE, 2]);
    expect(heard).toEqual(['added 0 held 2', 'pools 1']);
    ledger.release(allocation);
  });

  it('forgets what is released when nobody else holds it', () => {
    const { ledger, heard } = rig();
    const allocation = ledger.record(termsOf(pool), buffersOf(pool, 2));
    heard.length = 0;
    ledger.release(allocation);
    expect(heard).toEqual(['removed 0 orphaned 0', 'pools 1']);
    expect(ledger.held('0')).toBeUndefined();
    expect(ledger.views()).toEqual([]);
    expect(totals(ledger)).toEqual([0n, 0]);
  });

  it('counts what others still hold until the last reference is gone', () => {
    const { ledger, timers, inUse, heard } = rig();
    const [one, two] = buffersOf(pool, 2);
    if (one === undefined || two === undefined) throw new Error('two buffers');
    const allocation = ledger.record(termsOf(pool), [one, two]);
    inUse.add(one).add(two);
    heard.length = 0;
    ledger.release(allocation);
    expect(heard).toEqual(['changed 0 orphaned 2']);
    expect(ledger.held('0')).toBeUndefined();
    expect(totals(ledger)).toEqual([2n * PAGE, 2]);
    inUse.delete(two);
    timers.pass(1000);
    expect(ledger.views()).toMatchObject([{ state: 'orphaned', size: PAGE, layout: { count: 1 } }]);
    inUse.delete(one);
    timers.pass(1000);
    expect(heard.filter((text) => text.startsWith('removed'))).toEqual(['removed 0 orphaned 0']);
    expect(totals(ledger)).toEqual([0n, 0]);
  });

  it('says once that an allocation is orphaned, not with every look', () => {
    const { ledger, timers, inUse, heard } = rig();
    const buffers = buffersOf(pool, 1);
    for (const buffer of buffers) inUse.add(buffer);
    ledger.release(ledger.record(termsOf(pool), buffers));
    timers.pass(10_000);
    expect(heard.filter((text) => text.startsWith('changed'))).toHaveLength(1);
    inUse.clear();
    timers.pass(1000);
  });

  it('ends everything of an owner who left, and nothing of another', () => {
    const { ledger } = rig();
    ledger.record(termsOf(pool), buffersOf(pool, 1));
    ledger.record(termsOf(pool), buffersOf(pool, 2));
    const others = ledger.record(termsOf(pool, OTHER), buffersOf(pool, 3));
    ledger.record(termsOf(pool, { ...OWNER, bus: 'another-bus' }), buffersOf(pool, 4));
    ledger.ownerLeft(OWNER);
    expect(totals(ledger)).toEqual([7n * PAGE, 7]);
    ledger.ownerLeft(OWNER);
    expect(totals(ledger)).toEqual([7n * PAGE, 7]);
    ledger.release(others);
    ledger.ownerLeft({ ...OWNER, bus: 'another-bus' });
    expect(totals(ledger)).toEqual([0n, 0]);
  });

  it('grows an allocation, and takes back exactly what is withdrawn', () => {
    const { ledger, heard } = rig();
    const allocation = ledger.record(termsOf(pool), buffersOf(pool, 1));
    const more = buffersOf(pool, 2);
    ledger.grow(allocation, more);
    expect(ledger.views()).toMatchObject([{ layout: { count: 3 }, size: 3n * PAGE }]);
    heard.length = 0;
    ledger.withdraw(allocation, more);
    expect(heard).toEqual(['changed 0 held 1', 'pools 1']);
    expect(ledger.held('0')).toBe(allocation);
    ledger.withdraw(allocation, more);
    expect(totals(ledger)).toEqual([PAGE, 1]);
    ledger.release(allocation);
  });

  it('keeps an allocation held while buffers that were withdrawn are still in use', () => {
    const { ledger, timers, inUse } = rig();
    const allocation = ledger.record(termsOf(pool), buffersOf(pool, 1));
    const more = buffersOf(pool, 1);
    ledger.grow(allocation, more);
    for (const buffer of more) inUse.add(buffer);
    ledger.withdraw(allocation, more);
    expect(ledger.views()).toMatchObject([{ state: 'held', layout: { count: 2 } }]);
    inUse.clear();
    timers.pass(1000);
    expect(ledger.views()).toMatchObject([{ state: 'held', layout: { count: 1 } }]);
    ledger.release(allocation);
  });

  it('gives up an allocation of which everything is withdrawn', () => {
    const { ledger, heard } = rig();
    const buffers = buffersOf(pool, 2);
    const allocation = ledger.record(termsOf(pool), buffers);
    ledger.withdraw(allocation, buffers);
    expect(ledger.held('0')).toBeUndefined();
    expect(heard.at(-2)).toBe('removed 0 orphaned 0');
  });

  it('looks again at what a user left, and at that alone, before it refuses the same user more', async () => {
    const { ledger, inUse } = rig();
    const stranger: Owner = { ...OWNER, name: ':1.3', uid: 1001 };
    const [own = [], others = []] = [OWNER, stranger].map((owner) => {
      const buffers = buffersOf(pool, 1);
      ledger.record(termsOf(pool, owner), buffers);
      for (const buffer of buffers) inUse.add(buffer);
      ledger.ownerLeft(owner);
      return buffers;
    });
    inUse.clear();
    const limits = [
      { key: 'Buffers', subject: 'user', unit: 'buffers', value: 1n, source: 'policy:file:1' },
    ] as const;
    const reserved = await ledger.quotas.reserve(OTHER, { bytes: PAGE, buffers: 1 }, limits);
    expect(reserved.ok).toBe(true);
    expect([own, others].flat().map(({ fd }) => fd.open)).toEqual([false, true]);
    if (reserved.ok) reserved.reservation[Symbol.dispose]();
    await ledger.quotas.reserve(stranger, { bytes: PAGE, buffers: 1 }, limits);
    expect(ledger.liveBuffers).toBe(0);
  });

  it('tells which pools changed when an allocation grows', () => {
    const { ledger, heard } = rig();
    const allocation = ledger.record(termsOf(pool), buffersOf(pool, 1));
    heard.length = 0;
    ledger.grow(allocation, buffersOf(pool, 2));
    expect(heard).toEqual(['changed 0 held 3', 'pools 1']);
    ledger.release(allocation);
  });

  it('counts what somebody still has with what was left', () => {
    const { ledger, timers, inUse } = rig();
    const buffers = buffersOf(pool, 3);
    const allocation = ledger.record(termsOf(pool), buffers);
    for (const buffer of buffers) inUse.add(buffer);
    ledger.withdraw(allocation, buffers.slice(0, 1));
    expect(ledger.views()).toMatchObject([{ state: 'held', layout: { count: 3 }, size: 3n * PAGE }]);
    inUse.clear();
    ledger.release(allocation);
    timers.pass(1000);
    expect(ledger.views()).toEqual([]);
  });
});
