import { describe, expect, it } from 'vitest';

import { Maintenance, type MaintenanceTask } from '../../../daemon/pools/maintenance.js';
import { ManualTimers } from '../manual-timers.js';

/** Jobs that end when a test says so. */
class Jobs implements MaintenanceTask {
  readonly begun: string[] = [];
  cleans = 0;
  refills = 0;
  readonly #name: string;
  readonly #log: string[];
  readonly #ends: (() => void)[] = [];

  constructor(name: string, log: string[]) {
    this.#name = name;
    this.#log = log;
  }

  clean(): Promise<void> | undefined {
    return this.cleans-- > 0 ? this.#begin('cleans') : void (this.cleans = 0);
  }

  refill(): Promise<void> | undefined {
    return this.refills-- > 0 ? this.#begin('refills') : void (this.refills = 0);
  }

  async end(): Promise<void> {
    this.#ends.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
  }

  #begin(what: string): Promise<void> {
    this.#log.push(`${this.#name} ${what}`);
    return new Promise((resolve) => this.#ends.push(resolve));
  }
}

function rig(): { maintenance: Maintenance; timers: ManualTimers; a: Jobs; b: Jobs; log: string[] } {
  const timers = new ManualTimers();
  const maintenance = new Maintenance(timers.later);
  const log: string[] = [];
  const [a, b] = [new Jobs('a', log), new Jobs('b', log)];
  maintenance.add(a);
  maintenance.add(b);
  return { maintenance, timers, a, b, log };
}

describe('Upkeep', () => {
  it('clears what came back at once, one at a time, and lets each have its turn', async () => {
    const { maintenance, a, b, log } = rig();
    a.cleans = 2;
    b.cleans = 1;
    maintenance.wake();
    expect(log).toEqual(['a cleans']);
    await a.end();
    await b.end();
    await a.end();
    expect(log).toEqual(['a cleans', 'b cleans', 'a cleans']);
  });

  it('makes what lacks a little later, after what came back', async () => {
    const { maintenance, timers, a, b, log } = rig();
    a.refills = 2;
    maintenance.wake();
    maintenance.wake();
    expect([log, timers.pending]).toEqual([[], 1]);
    timers.pass(50);
    b.cleans = 1;
    await a.end();
    await b.end();
    await a.end();
    expect(log).toEqual(['a refills', 'b cleans', 'a refills']);
    expect(timers.pending).toBe(0);
  });

  it('begins nothing while somebody waits for what is under way', async () => {
    const { maintenance, a, log } = rig();
    a.cleans = 2;
    maintenance.wake();
    const seen = maintenance.between(() => [...log]);
    await a.end();
    expect(await seen).toEqual(['a cleans']);
    expect(log).toEqual(['a cleans', 'a cleans']);
    await a.end();
    expect(await maintenance.between(() => 'at once')).toBe('at once');
  });

  it('goes on when whoever waited fails', async () => {
    const { maintenance, a, log } = rig();
    a.cleans = 1;
    const failing = maintenance.between(() => {
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(log).toEqual(['a cleans']);
  });

  it('begins nothing more when it is closed, and nothing of whom it does not know', async () => {
    const { maintenance, timers, a, b, log } = rig();
    maintenance.remove(a);
    a.cleans = 1;
    b.cleans = 2;
    b.refills = 1;
    maintenance.wake();
    maintenance.close();
    await b.end();
    maintenance.wake();
    expect(log).toEqual(['b cleans']);
    expect(timers.pending).toBe(0);
  });
});
