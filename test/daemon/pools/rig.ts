import { afterEach, expect, vi } from 'vitest';

import type { HeapFacts } from '../../../daemon/devices/inventory.js';
import { Budget, type PoolAllowance } from '../../../daemon/pools/budget.js';
import { DeferredClose } from '../../../daemon/pools/deferred-close.js';
import { Semaphore } from '../../../daemon/pools/semaphore.js';
import { Pool, type PoolBuffer } from '../../../daemon/pools/pool.js';
import type { MemoryHeadroom, PoolTools } from '../../../daemon/pools/tools.js';
import { Maintenance } from '../../../daemon/pools/maintenance.js';
import { NO_FD_STORE } from '../../../daemon/pools/fd-store.js';
import { buffersOpen, FakeDmaBuf, FakeHeap, PAGE } from '../fake-heap.js';
import { SYSTEM } from '../machine.js';
import { ManualTimers } from '../manual-timers.js';

/** A machine that is short of memory when a test says so. */
export class FakePlenty implements MemoryHeadroom {
  mayKeep = true;
  most = 1n << 62n;

  mayGrow(bytes: bigint): boolean {
    return this.mayKeep && bytes <= this.most;
  }
}

export interface ToolsRig {
  readonly tools: PoolTools;
  readonly dmaBuf: FakeDmaBuf;
  readonly deferredClose: DeferredClose;
  readonly maintenance: Maintenance;
  readonly timers: ManualTimers;
  readonly plenty: FakePlenty;
}

export function makeTools(): ToolsRig {
  const dmaBuf = new FakeDmaBuf();
  const deferredClose = new DeferredClose();
  const timers = new ManualTimers();
  const maintenance = new Maintenance(timers.later);
  const headroom = new FakePlenty();
  const tools: PoolTools = {
    semaphore: new Semaphore(3, timers.clock),
    deferredClose,
    fdStore: NO_FD_STORE,
    maintenance,
    buffers: dmaBuf,
    inUse: (fd) => dmaBuf.references(fd) > 1 || !dmaBuf.signalled(fd),
    clock: timers.clock,
    headroom,
    giveWay: () => false,
  };
  return { tools, dmaBuf, deferredClose, maintenance, timers, plenty: headroom };
}

export interface PoolRig extends ToolsRig {
  readonly heap: FakeHeap;
  readonly pool: Pool;
  /** Times that the pool said that its stock changed. */
  readonly changes: () => number;
  /** Lets all upkeep happen that is due: what came back is cleared, what lacks is made. */
  readonly settle: () => Promise<void>;
}

export interface PoolRigOptions extends Partial<PoolAllowance> {
  readonly idle?: number;
  readonly facts?: HeapFacts;
  readonly countsReferences?: boolean;
  /** Shared by several pools. */
  readonly shared?: ToolsRig;
  readonly sharing?: Set<Budget>;
}

const made: Pool[] = [];

/** A pool over a heap whose every call can be made to fail. It keeps nothing ready unless told otherwise. */
export function poolRig({
  limit = 64n * PAGE,
  warm = 0n,
  idle = 60_000,
  facts = SYSTEM,
  countsReferences = true,
  shared = makeTools(),
  sharing = new Set(),
}: PoolRigOptions = {}): PoolRig {
  const { tools, maintenance, timers } = shared;
  const heap = new FakeHeap(facts.id, countsReferences);
  const budget = new Budget(sharing, facts.capacity?.value);
  let changes = 0;
  const pool = new Pool({ handle: 'h', class: 'scattered', facts }, heap, budget, tools, () => {
    changes += 1;
  });
  maintenance.add(pool);
  made.push(pool);
  pool.agree({ limit, warm, idle });
  return { ...shared, heap, pool, changes: () => changes, settle: () => settled(maintenance, timers) };
}

async function settled(maintenance: Maintenance, timers: ManualTimers): Promise<void> {
  timers.pass(50);
  // The end of a wait lets the next job begin, so that nothing is left to do when two in a row find none under way.
  for (let idle = 0; idle < 2;) {
    const seen = new Set<'over'>();
    const between = maintenance.between(() => seen.add('over'));
    for (let i = 0; i < 5; i += 1) await Promise.resolve();
    idle = seen.has('over') ? idle + 1 : 0;
    await between;
  }
}

export async function taken(pool: Pool, size: bigint, count: number): Promise<readonly PoolBuffer[]> {
  const result = await pool.take(size, count);
  if (!result.ok) throw new Error(`the pool lacks ${result.lacks}`);
  return result.buffers;
}

export const freeAll = (buffers: readonly PoolBuffer[]): void => {
  for (const buffer of buffers) buffer.pool.free(buffer);
};

/** After each test of the file: whatever is ready ends with its pool, and no buffer is open. */
export function expectNoBuffersOpen(): void {
  afterEach(async () => {
    for (const pool of made.splice(0)) pool.close();
    await vi.waitFor(() => {
      expect(buffersOpen()).toEqual([]);
    });
  });
}
