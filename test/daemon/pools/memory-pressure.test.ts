import { describe, expect, it } from 'vitest';

import type { Share } from '../../../daemon/pools/pressure-state.js';
import { MemoryPressure } from '../../../daemon/pools/memory-pressure.js';
import { FakePressure } from '../fake-heap.js';
import { ManualTimers } from '../manual-timers.js';

const GIB = 1n << 30n;
const SHORT = GIB / 16n - 1n;

function rig({ tells = true } = {}): {
  shortage: MemoryPressure;
  kernel: FakePressure;
  timers: ManualTimers;
  shrunk: Share[];
} {
  const kernel = new FakePressure();
  kernel.tells = tells;
  const timers = new ManualTimers();
  const shrunk: Share[] = [];
  const shortage = new MemoryPressure({
    kernel,
    later: timers.later,
    clock: timers.clock,
    shrink: (share) => {
      shrunk.push(share);
      if (share === 'all') shortage.stocked(false);
    },
  });
  return { shortage, kernel, timers, shrunk };
}

describe('Shortage', () => {
  it('asks the kernel to tell when something lies ready for the first time, and sets no timer then', () => {
    const { shortage, kernel, timers } = rig();
    shortage.stocked(false);
    expect(kernel.watched).toBe(false);
    shortage.stocked(true);
    shortage.stocked(false);
    shortage.stocked(true);
    expect([kernel.watched, timers.pending]).toEqual([true, 0]);
    shortage.close();
    expect(kernel.watched).toBe(false);
  });

  it('takes half at once, and leaves the rest when that was enough', () => {
    const { shortage, kernel, timers, shrunk } = rig();
    shortage.stocked(true);
    kernel.press();
    expect(shrunk).toEqual(['half']);
    expect([shortage.mayKeep, shortage.mayGrow(0n)]).toEqual([false, false]);
    timers.pass(9_999);
    expect(shortage.mayKeep).toBe(false);
    timers.pass(1);
    expect([shortage.mayKeep, shortage.mayGrow(0n)]).toEqual([true, true]);
    expect(shrunk).toEqual(['half']);
    expect(timers.pending).toBe(0);
  });

  it.each(['tasks go on waiting', 'memory stays short'])('takes all within a second when %s', (what) => {
    const { shortage, kernel, timers, shrunk } = rig();
    shortage.stocked(true);
    kernel.press();
    if (what === 'memory stays short') kernel.available = SHORT;
    else kernel.waitedFor += 100_000;
    timers.pass(1000);
    expect(shrunk).toEqual(['half', 'all']);
    expect(timers.pending).toBe(0);
  });

  it('takes all when the kernel tells again', () => {
    const { shortage, kernel, timers, shrunk } = rig();
    shortage.stocked(true);
    kernel.press();
    timers.pass(2000);
    kernel.press();
    expect(shrunk).toEqual(['half', 'all']);
  });

  it('lets nothing grow where there is not plenty, or nobody knows', () => {
    const { shortage, kernel } = rig();
    kernel.available = GIB / 4n;
    expect(shortage.mayGrow(GIB / 8n)).toBe(true);
    expect(shortage.mayGrow(GIB / 8n + 1n)).toBe(false);
    kernel.fails = true;
    expect(shortage.mayGrow(0n)).toBe(false);
    expect(shortage.mayKeep).toBe(true);
  });

  it('looks itself where the kernel does not tell, often only while memory moves', () => {
    const { shortage, kernel, timers, shrunk } = rig({ tells: false });
    shortage.stocked(true);
    timers.pass(1000);
    for (let i = 0; i < 5; i += 1) {
      kernel.available -= GIB / 10n;
      timers.pass(1000);
    }
    const { looks } = kernel;
    expect(looks).toBe(6);
    timers.pass(60_000);
    expect(kernel.looks - looks).toBeLessThanOrEqual(9);
    kernel.available = SHORT;
    timers.pass(10_000);
    expect(shrunk[0]).toBe('half');
    timers.pass(300);
    expect(shrunk).toEqual(['half', 'all']);
    expect(timers.pending).toBe(0);
  });

  it('looks no more when nothing lies ready, and when it is closed', () => {
    const { shortage, timers } = rig({ tells: false });
    shortage.stocked(true);
    shortage.stocked(true);
    expect(timers.pending).toBe(1);
    shortage.stocked(false);
    expect(timers.pending).toBe(0);
    shortage.stocked(true);
    shortage.close();
    shortage.stocked(true);
    expect(timers.pending).toBe(0);
  });

  it('goes on looking when a look fails', () => {
    const { shortage, kernel, timers, shrunk } = rig({ tells: false });
    shortage.stocked(true);
    kernel.fails = true;
    timers.pass(20_000);
    expect(shrunk).toEqual([]);
    kernel.fails = false;
    kernel.available = SHORT;
    timers.pass(10_000);
    expect(shrunk[0]).toBe('half');
  });
});
