import { fstatSync, writeSync } from 'node:fs';

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { closeAll, type OwnedFd } from '../../../dbus/owned-fd.js';
import type { Budget } from '../../../daemon/pools/budget.js';
import type { PoolBuffer } from '../../../daemon/pools/pool.js';
import { bufferBytesOpen, buffersOpen, type FailingCall, type Fault, PAGE } from '../fake-heap.js';
import { makeTools, poolRig, type PoolRig } from './rig.js';

type Step =
  | {
      do: 'take';
      pool: number;
      pages: number;
      count: number;
      faults: (Fault | undefined)[];
      meanwhile: boolean;
    }
  | { do: 'free'; which: number }
  | { do: 'free what others have'; which: number }
  | { do: 'others close' }
  | { do: 'fail'; call: FailingCall }
  | { do: 'allow'; pool: number; limit: number; warm: number }
  | { do: 'limit'; pool: number; limit: number }
  | { do: 'shrink'; pool: number; share: 'half' | 'all' }
  | { do: 'short'; is: boolean }
  | { do: 'wait'; seconds: number };

interface Allowed {
  limit: bigint;
  warm: bigint;
}

const bytesOf = (buffers: readonly PoolBuffer[]): bigint =>
  buffers.reduce((sum, { bytes }) => sum + bytes, 0n);
const most = (values: readonly bigint[]): bigint => values.reduce((a, b) => (a > b ? a : b), 0n);

/** Two pools on the same memory, and a model that only knows what is out and what is allowed. */
class Run {
  readonly #shared = makeTools();
  readonly #rigs: readonly PoolRig[];
  readonly #allowed: Allowed[] = [
    { limit: 12n * PAGE, warm: 6n * PAGE },
    { limit: 8n * PAGE, warm: 8n * PAGE },
  ];
  #out: PoolBuffer[] = [];
  #others: OwnedFd[] = [];

  constructor() {
    const sharing = new Set<Budget>();
    this.#rigs = this.#allowed.map((allowed) =>
      poolRig({ ...allowed, shared: this.#shared, sharing, idle: 60_000 }),
    );
  }

  async step(step: Step): Promise<void> {
    switch (step.do) {
      case 'take':
        await this.#take(step);
        break;
      case 'free':
      case 'free what others have': {
        const buffer = this.#out[step.which % Math.max(this.#out.length, 1)];
        if (buffer === undefined) break;
        if (step.do !== 'free') this.#others.push(buffer.fd.dup());
        this.#out = this.#out.filter((other) => other !== buffer);
        buffer.pool.free(buffer);
        break;
      }
      case 'others close':
        closeAll(this.#others.splice(0));
        break;
      case 'fail':
        this.#shared.dmaBuf.fail.add(step.call);
        break;
      case 'allow':
      case 'limit': {
        const { pool } = this.#rig(step.pool);
        const allowed = this.#allowed[step.pool];
        if (allowed === undefined) break;
        allowed.limit = BigInt(step.limit) * PAGE;
        if (step.do === 'limit') pool.limitTo(allowed.limit);
        else {
          allowed.warm = BigInt(step.warm) * PAGE;
          pool.agree({ ...allowed, idle: 60_000 });
          for (const { pool: each } of this.#rigs) each.trim();
        }
        break;
      }
      case 'shrink': {
        const { pool } = this.#rig(step.pool);
        pool.shrink(step.share);
        if (step.share === 'all') expect(pool.warm).toBe(0n);
        break;
      }
      case 'short':
        this.#shared.plenty.mayKeep = !step.is;
        break;
      case 'wait':
        this.#shared.timers.pass(step.seconds * 1000);
        for (const { pool } of this.#rigs) pool.expire();
        break;
    }
  }

  /** What is counted is what the model counts, and every byte of an open buffer counts somewhere. */
  async check(): Promise<void> {
    const pools = this.#rigs.map(({ pool }) => pool);
    pools.forEach((pool, i) => {
      const { limit, warm } = this.#allowed[i] ?? { limit: 0n, warm: 0n };
      const live = bytesOf(this.#out.filter((buffer) => buffer.pool === pool));
      expect(pool.view().live).toBe(live);
      if (live <= limit) expect(live + pool.warm <= limit).toBe(true);
      else expect(pool.warm).toBe(0n);
      expect(pool.warm <= warm && pool.warm <= pool.budget.spare).toBe(true);
    });
    const live = bytesOf(this.#out);
    const ready = pools.reduce((sum, { warm }) => sum + warm, 0n);
    const limit = most(this.#allowed.map((allowed) => allowed.limit));
    if (live <= limit) expect(live + ready <= limit).toBe(true);
    const inodes = this.#out.map(({ fd }) => this.#shared.dmaBuf.inode(fd.number));
    expect(new Set(inodes).size).toBe(inodes.length);
    // What closes makes room for what is made, for which others close.
    while (this.#shared.deferredClose.busy) await this.#shared.deferredClose.settled();
    const there = live + pools.reduce((sum, { warm }) => sum + warm, 0n);
    const spare = pools.reduce((sum, { budget }) => sum + budget.spare, 0n);
    const others = new Map(
      this.#others.map((fd) => [this.#shared.dmaBuf.inode(fd.number), fstatSync(fd.number).size]),
    );
    const own = bufferBytesOpen() - BigInt([...others.values()].reduce((sum, size) => sum + size, 0));
    // What is just being made counts before it is there.
    expect(own >= there && own <= live + spare).toBe(true);
  }

  async settle(): Promise<void> {
    await this.#rig(0).settle();
    for (const { pool } of this.#rigs) expect(pool.budget.spare).toBe(pool.warm);
  }

  /** Gives everything back. */
  async end(): Promise<void> {
    for (const buffer of this.#out.splice(0)) buffer.pool.free(buffer);
    closeAll(this.#others.splice(0));
    for (const { pool } of this.#rigs) pool.close();
    await this.#rig(0).settle();
    await this.#shared.deferredClose.settled();
  }

  #rig(which: number): PoolRig {
    const rig = this.#rigs[which];
    if (rig === undefined) throw new Error('two pools');
    return rig;
  }

  async #take({ pool: which, pages, count, faults, meanwhile }: Step & { do: 'take' }): Promise<void> {
    const { pool, heap } = this.#rig(which);
    const { dmaBuf, timers } = this.#shared;
    const asked = BigInt(pages) * PAGE * BigInt(count);
    const fits = asked <= pool.budget.available;
    heap.faults = [...faults];
    const mayFail = faults.length > 0 || dmaBuf.fail.has('size');
    // Upkeep begins while the request runs, or before it.
    if (meanwhile) timers.pass(50);
    const taken = await pool.take(BigInt(pages) * PAGE - 7n, count).catch((error: unknown) => {
      expect(error).toMatchObject({ name: 'KernelError' });
    });
    heap.faults = [];
    if (taken?.ok !== true) {
      expect(mayFail || !fits).toBe(true);
      return;
    }
    this.#out.push(...taken.buffers);
    expect(fits).toBe(true);
    expect(taken.buffers).toHaveLength(count);
    for (const { fd } of taken.buffers) {
      const inode = dmaBuf.inode(fd.number);
      expect(dmaBuf.isZero(fd.number)).toBe(true);
      expect(dmaBuf.names.get(inode) ?? '').toBe('');
      expect(buffersOpen().filter((open) => open === inode)).toHaveLength(1);
      writeSync(fd.number, 'what nobody else may see', 0);
      dmaBuf.names.set(inode, 'label');
    }
  }
}

const pool = fc.nat(1);
const which = fc.nat(30);
const faults = fc.oneof(
  { weight: 4, arbitrary: fc.constant<(Fault | undefined)[]>([]) },
  {
    weight: 1,
    arbitrary: fc.array(fc.constantFrom<(Fault | undefined)[]>(undefined, 'ENOMEM', 'EINVAL'), {
      minLength: 1,
      maxLength: 4,
    }),
  },
);
const limit = fc.nat(14);
const steps = (weight: number, arbitrary: fc.Arbitrary<Step>): fc.WeightedArbitrary<Step> => ({
  weight,
  arbitrary,
});
const anyStep = fc.oneof(
  steps(
    8,
    fc.record({
      do: fc.constant('take' as const),
      pool,
      pages: fc.integer({ min: 1, max: 3 }),
      count: fc.integer({ min: 1, max: 4 }),
      faults,
      meanwhile: fc.boolean(),
    }),
  ),
  steps(8, fc.record({ do: fc.constant('free' as const), which })),
  steps(1, fc.record({ do: fc.constant('free what others have' as const), which })),
  steps(1, fc.record({ do: fc.constant('others close' as const) })),
  steps(
    2,
    fc.record({
      do: fc.constant('fail' as const),
      call: fc.constantFrom<FailingCall[]>('size', 'references', 'signalled', 'setName', 'clear'),
    }),
  ),
  steps(1, fc.record({ do: fc.constant('allow' as const), pool, limit, warm: fc.nat(10) })),
  steps(1, fc.record({ do: fc.constant('limit' as const), pool, limit })),
  steps(
    1,
    fc.record({
      do: fc.constant('shrink' as const),
      pool,
      share: fc.constantFrom('half' as const, 'all' as const),
    }),
  ),
  steps(1, fc.record({ do: fc.constant('short' as const), is: fc.boolean() })),
  steps(3, fc.record({ do: fc.constant('wait' as const), seconds: fc.nat(70) })),
);

describe('two pools on the same memory, whatever happens', () => {
  it('keep their limits, and give each buffer to one alone, zeroed', async () => {
    const history = fc.array(fc.tuple(anyStep, fc.boolean()), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(history, async (list) => {
        const run = new Run();
        try {
          for (const [step, settles] of list) {
            await run.step(step);
            if (settles) await run.settle();
            await run.check();
          }
        } finally {
          await run.end();
        }
        await run.check();
        expect(bufferBytesOpen()).toBe(0n);
      }),
      { numRuns: 1000 },
    );
  });
});
