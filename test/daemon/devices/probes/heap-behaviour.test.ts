import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { comesFromCma } from '../../../../daemon/devices/probes/heap-classes.js';
import { openFds } from '../../../harness/leaks.js';
import { buffersOpen, fault } from '../../fake-heap.js';
import { CmaMachine } from './cma-machine.js';

const MIB = 1024n * 1024n;
const PAGE = 4096n;

let before: ReadonlyMap<number, string>;
beforeEach(() => {
  before = openFds();
});
afterEach(() => {
  expect(buffersOpen()).toEqual([]);
  expect([...openFds()]).toEqual([...before]);
});

/** @param rounds how far CmaFree is wrong at each look, besides what buffers take */
const judge = (fromCma: boolean, noise: readonly bigint[] = []) => {
  const machine = new CmaMachine(64n * MIB);
  const heap = machine.heap('some-heap', fromCma);
  let look = 0;
  return comesFromCma(heap, () => Promise.resolve(machine.free + (noise[look++] ?? 0n)), PAGE);
};

describe('comesFromCma', () => {
  it('sees that CMA memory falls and rises with the buffers of a heap', async () => {
    expect(await judge(true)).toBe(true);
    expect(await judge(false)).toBe(false);
  });

  it('bears that counters run late, as far as the kernel lets them', async () => {
    const late = 250n * PAGE;
    expect(await judge(true, [-late, late, -late, late, -late])).toBe(true);
    expect(await judge(false, [late, -late, late, -late, late])).toBe(false);
  });

  it.each([1, 2, 3])('bears that others take or give memory at one of the moments (%i)', async (moment) => {
    const from = (bytes: bigint): bigint[] => Array.from({ length: 8 }, (_, i) => (i < moment ? 0n : bytes));
    expect(await judge(true, from(32n * MIB))).toBe(true);
    expect(await judge(false, from(-32n * MIB))).toBe(false);
  });

  it('does not take for CMA what falls and stays away', async () => {
    // Others take as much at each moment, and the heap is not from there.
    const taking = [0n, -4n, -8n, -12n, -16n].map((mib) => mib * MIB);
    expect(await judge(false, taking)).toBe(false);
  });

  it('says nothing where the kernel does not', async () => {
    const heap = new CmaMachine(64n * MIB).heap('some-heap', true);
    expect(await comesFromCma(heap, () => Promise.resolve(undefined), PAGE)).toBeUndefined();
  });

  it.each([0, 1, 2])('leaves nothing behind when the heap has no more (%i)', async (made) => {
    const machine = new CmaMachine(64n * MIB);
    const heap = machine.heap('some-heap', true);
    heap.faults = [...Array.from({ length: made }, () => undefined), 'ENOMEM'];
    await expect(comesFromCma(heap, () => Promise.resolve(machine.free), PAGE)).rejects.toMatchObject({
      code: fault('ENOMEM').code,
    });
    expect(machine.free).toBe(64n * MIB);
  });

  it('takes buffers that show on machines with larger pages', async () => {
    const machine = new CmaMachine(256n * MIB);
    const heap = machine.heap('some-heap', true);
    await comesFromCma(heap, () => Promise.resolve(machine.free), 65_536n);
    expect(Math.min(...heap.sizes.map(Number))).toBeGreaterThanOrEqual(500 * 65_536);
  });
});
