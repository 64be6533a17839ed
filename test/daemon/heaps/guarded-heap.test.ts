import { fstatSync, readlinkSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

import { DmaHeap } from '../../../daemon/heaps/dma-heap.js';
import { GuardedHeap } from '../../../daemon/heaps/guarded-heap.js';
import { memoryCalls } from '../../../daemon/kernel/memory.js';
import { newMemfd } from '../../harness/sockets.js';
import { FakeHeap } from '../fake-heap.js';

const isOpen = (fd: number): boolean => {
  try {
    fstatSync(fd);
    return true;
  } catch {
    return false;
  }
};

describe('GuardedHeap', () => {
  it('is the heap that it guards', async () => {
    const heap = new FakeHeap('one', false);
    const guarded = new GuardedHeap(heap);
    expect([guarded.id, guarded.countsReferences]).toEqual(['one', false]);
    (await guarded.allocate(1n)).close();
    guarded.close();
    expect(heap.closed).toBe(true);
  });

  it('closes at once when nothing runs, once, and gives nothing afterwards', async () => {
    const guarded = new GuardedHeap(new FakeHeap('one'));
    guarded.close();
    guarded.close();
    await expect(guarded.allocate(1n)).rejects.toMatchObject({ code: 'ENODEV' });
  });

  it.each([undefined, 'ENOMEM' as const])(
    'closes when the last call that runs has ended, with %s',
    async (end) => {
      const heap = new FakeHeap('one');
      heap.holdsBack = true;
      heap.faults = [undefined, end];
      const guarded = new GuardedHeap(heap);
      const calls = [guarded.allocate(1n), guarded.allocate(1n)];
      guarded.close();
      await expect(guarded.allocate(1n)).rejects.toMatchObject({ code: 'ENODEV' });
      heap.waiting.shift()?.();
      (await calls[0])?.close();
      expect(heap.closed).toBe(false);
      heap.letGo();
      const [, last] = await Promise.allSettled(calls);
      expect(last?.status).toBe(end === undefined ? 'fulfilled' : 'rejected');
      if (last?.status === 'fulfilled') last.value.close();
      expect(heap.closed).toBe(true);
    },
  );

  it('leaves the number of a node to the call that has it, and to nobody else', async () => {
    const node = newMemfd('the node');
    const { number } = node;
    let seen = '';
    let go = (): void => undefined;
    const memory = {
      ...memoryCalls,
      allocateDmaHeap: async (heap: number) => {
        await new Promise<void>((resolve) => (go = resolve));
        seen = readlinkSync(`/proc/self/fd/${heap}`);
        return newMemfd('a buffer');
      },
    };
    const guarded = new GuardedHeap(new DmaHeap('dma-heap:one', node, memory));
    const call = guarded.allocate(4096n);
    guarded.close();
    // Whoever opens something now gets another number.
    using other = newMemfd('another');
    expect(other.number).not.toBe(number);
    go();
    (await call).close();
    expect(seen).toContain('the node');
    expect(isOpen(number)).toBe(false);
  });
});
