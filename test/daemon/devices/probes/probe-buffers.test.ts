import { afterEach, describe, expect, it } from 'vitest';

import { PROBE_SIZES_BYTES, ProbeBuffers } from '../../../../daemon/devices/probes/probe-buffers.js';
import { buffersOpen, FakeHeap } from '../../fake-heap.js';
import { naming } from '../../../harness/naming.js';

afterEach(() => {
  expect(buffersOpen()).toEqual([]);
});

const [large = 0n, small = 0n] = PROBE_SIZES_BYTES;

describe('PROBE_SIZES', () => {
  it('are of pieces of every kind that the system heap has, down to a page', () => {
    for (const size of PROBE_SIZES_BYTES) {
      const pieces = [1_048_576n, 65_536n, 4096n].map((piece, i, all) =>
        Number((i === 0 ? size : size % (all[i - 1] ?? 1n)) / piece),
      );
      expect(Math.min(...pieces)).toBeGreaterThan(0);
      expect(size % 4096n).toBe(0n);
    }
  });
});

describe('ProbeBuffers', () => {
  it('makes one buffer a heap, however often it is asked for', async () => {
    using buffers = new ProbeBuffers();
    const [a, b] = [new FakeHeap('a'), new FakeHeap('b')];
    const first = await buffers.of(a);
    expect(await buffers.of(a)).toEqual(first);
    expect(await buffers.of(b)).toMatchObject({ heap: 'b', size: large });
    expect(buffersOpen()).toHaveLength(2);
  });

  it('is content with a smaller one', async () => {
    using buffers = new ProbeBuffers();
    const heap = new FakeHeap('a');
    heap.faults = ['ENOMEM'];
    expect(await buffers.of(heap)).toMatchObject({ size: small });
  });

  it('asks a heap that has none no second time, and says why', async () => {
    using buffers = new ProbeBuffers();
    const heap = new FakeHeap('a');
    heap.faults = ['ENOMEM', 'EMFILE'];
    expect(await buffers.of(heap)).toEqual({
      heap: 'a',
      lacks: expect.stringMatching(naming('FAKE_ALLOC', 'EMFILE')) as string,
    });
    expect(await buffers.of(heap)).toHaveProperty('lacks');
    expect(heap.faults).toEqual([]);
    expect(buffersOpen()).toEqual([]);
  });

  it('makes a larger one for a larger image, once, and none for an absurd one', async () => {
    using buffers = new ProbeBuffers();
    const heap = new FakeHeap('a');
    expect(await buffers.atLeast(heap, large)).toMatchObject({ size: large });
    const larger = await buffers.atLeast(heap, large + 1n);
    expect(larger).toMatchObject({ size: large + 1n });
    expect(await buffers.atLeast(heap, large + 1n)).toEqual(larger);
    expect(buffersOpen()).toHaveLength(2);
    expect(await buffers.atLeast(heap, 1n << 30n)).toHaveProperty('lacks');
    heap.faults = ['ENOMEM'];
    expect(await buffers.atLeast(heap, large + 2n)).toHaveProperty('lacks');
  });

  it('hands a mistake of the daemon on', async () => {
    using buffers = new ProbeBuffers();
    const heap = new FakeHeap('a');
    heap.allocate = () => Promise.reject(new RangeError('mine'));
    await expect(buffers.of(heap)).rejects.toThrow('mine');
  });
});
