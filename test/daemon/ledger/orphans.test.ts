import { describe, expect, it } from 'vitest';

import type { Retention } from '../../../daemon/devices/inventory.js';
import { Allocation } from '../../../daemon/ledger/allocation.js';
import { Orphans, type Orphan } from '../../../daemon/ledger/orphans.js';
import type { PoolBuffer } from '../../../daemon/pools/pool.js';
import { SYSTEM } from '../machine.js';
import { ManualTimers } from '../manual-timers.js';
import { poolRig } from '../pools/rig.js';
import { buffersOf, orphanedBuffers, termsOf } from './orphaned-buffers.js';

/** Buffers that are in use until a test says otherwise. */
function rig(): {
  orphans: Orphans;
  timers: ManualTimers;
  inUse: Set<PoolBuffer>;
  gone: Orphan[];
  looks: () => number;
} {
  const timers = new ManualTimers();
  const inUse = new Set<PoolBuffer>();
  const gone: Orphan[] = [];
  let looks = 0;
  const orphans = new Orphans({
    inUse: (buffer) => {
      looks += 1;
      return inUse.has(buffer);
    },
    later: timers.later,
    clock: timers.clock,
    saw: (left) => gone.push(...left),
  });
  return { orphans, timers, inUse, gone, looks: () => looks };
}

describe('Leaving', () => {
  it('ends at once what nobody holds, and sets no timer', () => {
    const { orphans, timers, gone } = rig();
    const all = orphanedBuffers(3);
    orphans.add(all);
    expect(gone).toEqual(all);
    expect(timers.pending).toBe(0);
  });

  it('counts what cannot be told to be over until its owner leaves', () => {
    const timers = new ManualTimers();
    const gone: Orphan[] = [];
    const orphans = new Orphans({
      inUse: () => undefined,
      later: timers.later,
      clock: timers.clock,
      saw: (left) => gone.push(...left),
    });
    const [orphan] = orphanedBuffers(1);
    if (orphan === undefined) throw new Error('an orphan');
    orphans.add([orphan]);
    timers.pass(60_000);
    expect(gone).toEqual([]);
    orphan.allocation.ownerLeft = true;
    timers.pass(2000);
    expect(gone).toEqual([orphan]);
    expect(timers.pending).toBe(0);
  });

  it('ends a buffer soon after its last reference went', () => {
    const { orphans, timers, inUse, gone } = rig();
    const [one, two] = orphanedBuffers(2);
    if (one === undefined || two === undefined) throw new Error('two departures');
    inUse.add(one.buffer).add(two.buffer);
    orphans.add([one, two]);
    expect(gone).toEqual([]);
    inUse.delete(one.buffer);
    timers.pass(250);
    expect(gone).toEqual([one]);
    inUse.delete(two.buffer);
    timers.pass(1000);
    expect(gone).toEqual([one, two]);
    expect(timers.pending).toBe(0);
  });

  it('never lets more than a second pass, however long somebody holds on', () => {
    const { orphans, timers, inUse, gone } = rig();
    const all = orphanedBuffers(1);
    for (const { buffer } of all) inUse.add(buffer);
    orphans.add(all);
    timers.pass(60_000);
    inUse.clear();
    timers.pass(1000);
    expect(gone).toEqual(all);
  });

  it('looks less and less often', () => {
    const { orphans, timers, inUse, looks } = rig();
    const all = orphanedBuffers(1);
    for (const { buffer } of all) inUse.add(buffer);
    orphans.add(all);
    timers.pass(10_000);
    expect(looks()).toBeLessThan(15);
    expect(looks()).toBeGreaterThanOrEqual(10);
  });

  it('looks soon at first, whenever somebody leaves, and then once a second', () => {
    const { orphans, timers, inUse, looks } = rig();
    for (const late of [0, 100_000]) {
      timers.pass(late);
      const before = looks();
      const [orphan] = orphanedBuffers(1);
      if (orphan === undefined) throw new Error('one departure');
      inUse.add(orphan.buffer);
      orphans.add([orphan]);
      const seen = [20, 250, 500, 1000, 1000].map((pause) => {
        timers.pass(pause);
        return looks() - before;
      });
      expect(seen).toEqual([2, 3, 4, 5, 6]);
      inUse.clear();
      timers.pass(1000);
      expect(timers.pending).toBe(0);
    }
  });

  it('looks at many in slices, and at all of them within a second', () => {
    const { orphans, timers, inUse, gone, looks } = rig();
    const all = orphanedBuffers(5000);
    for (const { buffer } of all) inUse.add(buffer);
    orphans.add(all);
    const slice = looks();
    // 20 µs a look: 100 of them are the 2 ms that nothing may take.
    expect(slice).toBeLessThanOrEqual(100);
    timers.pass(1000);
    expect(looks()).toBeGreaterThanOrEqual(5000);
    inUse.clear();
    timers.pass(2000);
    expect(new Set(gone)).toEqual(new Set(all));
    expect(gone).toHaveLength(5000);
    expect(timers.pending).toBe(0);
  });

  it('spends next to nothing on ten thousand that somebody keeps, and ends them all the same', () => {
    const { orphans, timers, inUse, gone, looks } = rig();
    const all = orphanedBuffers(10_000);
    for (const { buffer } of all) inUse.add(buffer);
    orphans.add(all);
    timers.pass(10_000);
    const before = looks();
    timers.pass(10_000);
    // Half a percent of these ten seconds, at 20 µs a look.
    expect(looks() - before).toBeLessThanOrEqual(2500);
    inUse.clear();
    timers.pass(60_000);
    expect(gone).toHaveLength(all.length);
    expect(timers.pending).toBe(0);
  });

  it('does not look at what somebody keeps because others leave', () => {
    const { orphans, timers, inUse, looks } = rig();
    const all = orphanedBuffers(1000);
    for (const { buffer } of all) inUse.add(buffer);
    orphans.add(all);
    timers.pass(10_000);
    const before = looks();
    for (let i = 0; i < 100; i += 1) {
      orphans.add(orphanedBuffers(1));
      timers.pass(10);
    }
    expect(looks() - before).toBeLessThan(100 + 300);
  });

  it('is not held up by a stream of leavers', () => {
    const { orphans, timers, inUse, gone } = rig();
    const [first] = orphanedBuffers(1);
    if (first === undefined) throw new Error('one departure');
    inUse.add(first.buffer);
    orphans.add([first]);
    inUse.delete(first.buffer);
    for (let i = 0; i < 100; i += 1) {
      const stayers = orphanedBuffers(1);
      for (const { buffer } of stayers) inUse.add(buffer);
      orphans.add(stayers);
      timers.pass(10);
    }
    expect(gone).toEqual([first]);
  });

  it('looks no more when it is closed', () => {
    const { orphans, timers, inUse } = rig();
    const all = orphanedBuffers(1);
    for (const { buffer } of all) inUse.add(buffer);
    orphans.add(all);
    orphans.close();
    expect(timers.pending).toBe(0);
  });
});

describe('Leaving.recheck', () => {
  it('ends at once what somebody needs and nobody holds any more, and leaves the rest to its round', async () => {
    const { orphans, timers, inUse, gone, looks } = rig();
    const all = orphanedBuffers(200);
    for (const { buffer } of all) inUse.add(buffer);
    orphans.add(all);
    inUse.clear();
    const wanted = new Set(all.slice(0, 120));
    const before = looks();
    await orphans.recheck((orphan) => wanted.has(orphan));
    expect(new Set(gone)).toEqual(wanted);
    expect(looks() - before).toBe(wanted.size);
    timers.pass(10_000);
    expect(new Set(gone)).toEqual(new Set(all));
    expect(gone).toHaveLength(all.length);
    expect(timers.pending).toBe(0);
  });

  it('keeps watching what is still held', async () => {
    const { orphans, timers, inUse, gone } = rig();
    const all = orphanedBuffers(2);
    for (const { buffer } of all) inUse.add(buffer);
    orphans.add(all);
    await orphans.recheck(() => true);
    expect(gone).toEqual([]);
    inUse.clear();
    timers.pass(10_000);
    expect(gone).toHaveLength(2);
  });
});

describe('a buffer whose memory outlives its descriptor', () => {
  const rigOf = (retention: Retention) => {
    const timers = new ManualTimers();
    const gone: Orphan[] = [];
    const facts = { ...SYSTEM, retention: { value: retention, source: 'probe:MODE_MAP_DUMB' } };
    const { pool, heap } = poolRig({ facts });
    const object = { held: true, references: 2 };
    heap.follow = () => Promise.resolve({ held: (isTold) => (isTold ? object.held : undefined) });
    const allocation = new Allocation('a', termsOf(pool), 0n);
    const [buffer] = buffersOf(pool, 1);
    if (buffer === undefined) throw new Error('a buffer');
    const orphans = new Orphans({
      inUse: () => object.references > 1,
      later: timers.later,
      clock: timers.clock,
      saw: (left) => gone.push(...left),
    });
    orphans.add([{ allocation, buffer }]);
    return { timers, gone, object, allocation, buffer, leaving: orphans };
  };
  const ofAll = () => true;

  it('is closed when the last reference to it went, and ends with its memory', async () => {
    const { timers, gone, object, buffer, leaving: orphans } = rigOf('visible');
    timers.pass(1000);
    expect([buffer.fd.open, gone]).toEqual([true, []]);
    object.references = 1;
    await orphans.recheck(ofAll);
    expect([buffer.fd.open, gone]).toEqual([false, []]);
    object.held = false;
    timers.pass(1000);
    expect(gone.map((orphan) => orphan.buffer)).toEqual([buffer]);
    expect(timers.pending).toBe(0);
  });

  it('ends within the look that a quota asks for', async () => {
    const { gone, object, leaving: orphans } = rigOf('visible');
    Object.assign(object, { references: 1, held: false });
    await orphans.recheck(ofAll);
    expect(gone).toHaveLength(1);
  });

  it('counts until its owner leaves where the kernel does not tell when it ends', async () => {
    const { timers, gone, object, allocation, leaving: orphans } = rigOf('unknown');
    Object.assign(object, { references: 1, held: false });
    await orphans.recheck(ofAll);
    timers.pass(60_000);
    expect(gone).toEqual([]);
    allocation.ownerLeft = true;
    timers.pass(1000);
    expect(gone).toHaveLength(1);
  });

  it('is not looked at any more once the daemon ends', async () => {
    const { timers, gone, object, leaving: orphans } = rigOf('visible');
    object.references = 1;
    const looked = orphans.recheck(ofAll);
    orphans.close();
    await looked;
    timers.pass(60_000);
    expect([gone, timers.pending]).toEqual([[], 0]);
  });
});
