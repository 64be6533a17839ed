import { fstatSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

import type { HeapFacts } from '../../../daemon/devices/inventory.js';
import { PAGE } from '../fake-heap.js';
import { unprovedHeap } from '../machine.js';
import { expectNoBuffersOpen, freeAll, poolRig, taken } from './rig.js';

const rig = (limit?: bigint): ReturnType<typeof poolRig> => poolRig(limit === undefined ? {} : { limit });

describe('Pool', () => {
  expectNoBuffersOpen();

  it('gives buffers, and counts the memory behind them', async () => {
    const { pool } = rig();
    const buffers = await taken(pool, PAGE + 1n, 2);
    expect(buffers.map(({ bytes }) => bytes)).toEqual([2n * PAGE, 2n * PAGE]);
    expect(pool.view()).toMatchObject({ live: 4n * PAGE, warm: 0n, hits: 0n, misses: 2n });
    freeAll(buffers);
    expect(pool.view().live).toBe(0n);
  });

  it('takes no memory when its budget has no room', async () => {
    const { pool, heap } = rig(PAGE);
    expect(await pool.take(PAGE, 2)).toEqual({ ok: false, lacks: 'budget' });
    expect(heap.mostRunning).toBe(0);
  });

  it('gives everything back when the real sizes do not fit', async () => {
    const { pool } = rig(3n * PAGE);
    expect(await pool.take(PAGE + 1n, 2)).toEqual({ ok: false, lacks: 'budget' });
    expect(pool.view()).toMatchObject({ live: 0n, misses: 0n });
  });

  it('cannot be overshot by requests at the same time', async () => {
    const { pool, heap } = rig(4n * PAGE);
    heap.holdsBack = true;
    const three = pool.take(PAGE, 3);
    expect(await pool.take(PAGE, 2)).toEqual({ ok: false, lacks: 'budget' });
    heap.letGo();
    const result = await three;
    expect(result.ok).toBe(true);
    if (result.ok) freeAll(result.buffers);
  });

  it.each([0, 1, 2, 3, 4])('gives everything back when allocation %i of five fails', async (n) => {
    const { pool, heap } = rig();
    heap.faults = [...Array<undefined>(n), 'EINVAL'];
    await expect(pool.take(PAGE, 5)).rejects.toMatchObject({ code: 'EINVAL' });
    expect(pool.view()).toMatchObject({ live: 0n, misses: 0n });
  });

  it('says that memory lacks when the heap says so', async () => {
    const { pool, heap } = rig();
    heap.faults = ['ENOMEM'];
    expect(await pool.take(PAGE, 2)).toEqual({ ok: false, lacks: 'memory' });
    expect(pool.view().live).toBe(0n);
  });

  it('tries again when memory was still on its way back to the heap', async () => {
    const { pool, heap, deferredClose } = rig();
    const [old] = await taken(pool, PAGE, 1);
    if (old !== undefined) pool.free(old);
    expect(deferredClose.busy).toBe(true);
    heap.faults = ['ENOMEM'];
    heap.holdsBack = true;
    const again = pool.take(PAGE, 1);
    heap.letGo();
    const result = await again;
    expect(result.ok).toBe(true);
    if (result.ok) freeAll(result.buffers);
  });

  it('closes the buffers when their size cannot be read', async () => {
    const { pool, dmaBuf } = rig();
    dmaBuf.fail.add('size');
    await expect(pool.take(PAGE, 3)).rejects.toMatchObject({ code: 'EINVAL' });
    expect(pool.view().live).toBe(0n);
  });

  it('makes only so many buffers at once', async () => {
    const { pool, heap } = rig();
    const buffers = await taken(pool, PAGE, 16);
    expect(heap.mostRunning).toBe(3);
    freeAll(buffers);
  });
});

describe('what was handed out', () => {
  expectNoBuffersOpen();

  const facts = (retention: HeapFacts['retention']): HeapFacts =>
    unprovedHeap('dma-heap:system', retention && { retention });

  it.each([
    undefined,
    { value: 'unknown', source: 'probe:VMSPLICE' },
    { value: 'visible', source: 'probe:MODE_MAP_DUMB' },
  ] as const)('is never handed out again unless that was proved to be safe (%o)', async (retention) => {
    const { pool, heap, settle } = poolRig({ warm: 8n * PAGE, facts: facts(retention) });
    const [first] = await taken(pool, PAGE, 1);
    if (first === undefined) throw new Error('a buffer');
    const inode = fstatSync(first.fd.number).ino;
    pool.free(first);
    expect(first.fd.open).toBe(false);
    await settle();
    // The stock is of fresh buffers.
    expect(heap.made).toBeGreaterThan(1);
    const [second] = await taken(pool, PAGE, 1);
    if (second === undefined) throw new Error('another buffer');
    expect(fstatSync(second.fd.number).ino).not.toBe(inode);
    expect(pool.view().hits).toBe(1n);
    pool.free(second);
  });

  it('is never handed out again where its memory outlives its descriptor', async () => {
    const { pool, heap, settle } = poolRig({ warm: 8n * PAGE });
    heap.follow = () => Promise.resolve({ held: () => false });
    const [first] = await taken(pool, PAGE, 1);
    if (first === undefined) throw new Error('a buffer');
    pool.free(first);
    expect(first.fd.open).toBe(false);
    await settle();
  });

  it('counts for as long as its memory is held', async () => {
    const { pool, heap } = poolRig({ facts: facts({ value: 'visible', source: 'probe:MODE_MAP_DUMB' }) });
    let held = true;
    heap.follow = () => Promise.resolve({ held: () => held });
    const [buffer] = await taken(pool, PAGE, 1);
    if (buffer === undefined) throw new Error('a buffer');
    await pool.follow(buffer);
    expect([buffer.fd.open, pool.held(buffer), pool.view().live]).toEqual([false, true, PAGE]);
    held = false;
    expect(pool.held(buffer)).toBe(false);
    pool.free(buffer);
    expect(pool.view().live).toBe(0n);
  });

  it('counts no more once its heap is gone', async () => {
    const { pool, heap } = poolRig({ facts: facts({ value: 'unknown', source: 'probe:MODE_MAP_DUMB' }) });
    heap.follow = () => Promise.resolve({ held: () => undefined });
    const [buffer] = await taken(pool, PAGE, 1);
    if (buffer === undefined) throw new Error('a buffer');
    await pool.follow(buffer);
    pool.free(buffer);
    expect(pool.view().live).toBe(PAGE);
    pool.close();
    expect(pool.view().live).toBe(0n);
  });

  it('counts until new memory has its place where the kernel was not seen to tell its end', async () => {
    const { pool, heap } = poolRig({ facts: facts({ value: 'unknown', source: 'probe:MODE_MAP_DUMB' }) });
    let replaced = false;
    heap.follow = () => Promise.resolve({ held: (isTold) => (isTold || replaced ? false : undefined) });
    const [buffer] = await taken(pool, PAGE, 1);
    if (buffer === undefined) throw new Error('a buffer');
    await pool.follow(buffer);
    expect(pool.held(buffer)).toBeUndefined();
    pool.free(buffer);
    expect(pool.view().live).toBe(PAGE);
    const next = await taken(pool, PAGE, 1);
    expect(pool.view().live).toBe(2n * PAGE);
    replaced = true;
    const last = await taken(pool, PAGE, 1);
    expect(pool.view().live).toBe(2n * PAGE);
    heap.follow = undefined;
    freeAll([...next, ...last]);
    expect(pool.view().live).toBe(0n);
  });
});
