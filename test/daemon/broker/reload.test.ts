import { afterEach, describe, expect, it, vi } from 'vitest';

import type { ClosableBroker } from '../../../daemon/broker/broker.js';
import type { Granted, PoolView } from '../../../daemon/broker/broker-types.js';
import type { Policy } from '../../../daemon/policy/policy.js';
import { closeAll } from '../../../dbus/owned-fd.js';
import { bufferBytesOpen, buffersOpen, PAGE } from '../fake-heap.js';
import { CMA, machine, policyOf, SYSTEM } from '../machine.js';
import { bytes, entry, makeRig, OWNER, type Rig, type RigOptions } from './rig.js';

const WARM = '[Pool scattered]\nLimit=64K\nWarm=32K\n';
const contiguous = bytes(1n, { entries: [entry('cpu', { limits: { contiguous: true } })] });

const made: ClosableBroker[] = [];
function rigOf(policy: string, options: RigOptions = {}): Rig {
  const rig = makeRig({ inventory: machine([SYSTEM, CMA]), policy, warm: true, ...options });
  made.push(rig.broker);
  return rig;
}
afterEach(async () => {
  for (const broker of made.splice(0)) broker.close();
  await vi.waitFor(() => {
    expect(buffersOpen()).toEqual([]);
  });
});

const scattered = ({ broker }: Rig): PoolView => {
  const pool = broker.pools().find((view) => view.class === 'scattered');
  if (pool === undefined) throw new Error('no scattered pool');
  return pool;
};

function end({ broker }: Rig, { allocation, fds }: Granted): void {
  closeAll(fds);
  broker.release(OWNER, allocation.id, false);
}

/** Allocates, and waits until the stock has as much ready. */
async function warmed(rig: Rig, count: number): Promise<Granted> {
  const granted = await rig.broker.allocate(OWNER, bytes(PAGE, { count }));
  rig.timers.pass(50);
  await vi.waitFor(() => {
    expect(scattered(rig).warm).toBe(BigInt(count) * PAGE);
  });
  return granted;
}

describe('what lies ready', () => {
  it('serves the next request, and is told of when it comes', async () => {
    const rig = rigOf(WARM);
    const first = await rig.broker.allocate(OWNER, bytes(PAGE, { count: 3, label: 'mine' }));
    rig.heard.length = 0;
    rig.timers.pass(50);
    await vi.waitFor(() => {
      expect(scattered(rig).warm).toBe(3n * PAGE);
    });
    expect(new Set(rig.heard)).toEqual(new Set(['poolChanged']));
    rig.heap(SYSTEM.id).holdsBack = true;
    const second = await rig.broker.allocate(OWNER, bytes(PAGE, { count: 3 }));
    expect(scattered(rig)).toMatchObject({ hits: 3n, misses: 3n, warm: 0n, live: 6n * PAGE });
    expect(rig.broker.totals()).toMatchObject({ liveBytes: 6n * PAGE, liveBuffers: 6 });
    rig.heap(SYSTEM.id).letGo();
    end(rig, first);
    end(rig, second);
  });

  it('is what clients gave back, without their labels', async () => {
    const rig = rigOf(WARM);
    const first = await rig.broker.allocate(OWNER, bytes(PAGE, { label: 'mine' }));
    const inode = rig.dmaBuf.inode(first.fds[0]?.number ?? -1);
    end(rig, first);
    expect(rig.broker.totals().liveBytes).toBe(0n);
    await vi.waitFor(() => {
      expect(scattered(rig).warm).toBe(PAGE);
    });
    const second = await rig.broker.allocate(OWNER, bytes(PAGE));
    expect(second.fds.map((fd) => rig.dmaBuf.inode(fd.number))).toEqual([inode]);
    expect(rig.dmaBuf.names.get(inode)).toBe('');
    end(rig, second);
  });

  it('is no buffer that a device still works on: that counts as its owner’s until it is done', async () => {
    const rig = rigOf(WARM);
    const granted = await rig.broker.allocate(OWNER, bytes(PAGE));
    const inode = rig.dmaBuf.inode(granted.fds[0]?.number ?? -1);
    rig.dmaBuf.busy.add(inode);
    end(rig, granted);
    rig.timers.pass(5000);
    expect(rig.broker.allocations()).toMatchObject([{ state: 'orphaned' }]);
    rig.dmaBuf.busy.clear();
    rig.timers.pass(1000);
    expect(rig.broker.allocations()).toEqual([]);
  });

  it('goes back when memory is short, and all of it with the broker', async () => {
    const rig = rigOf(WARM);
    const granted = await warmed(rig, 4);
    rig.pressure.press();
    expect(scattered(rig).warm).toBe(2n * PAGE);
    rig.pressure.waitedFor += 1_000_000;
    rig.timers.pass(300);
    expect(scattered(rig).warm).toBe(0n);
    end(rig, granted);
    expect(scattered(rig)).toMatchObject({ live: 0n, warm: 0n });
    expect(rig.pressure.watched).toBe(true);
    rig.broker.close();
    expect(rig.pressure.watched).toBe(false);
    expect(rig.timers.pending).toBe(0);
  });

  it('goes back when nobody asks for it, and then no timer is set any more', async () => {
    const rig = rigOf(`${WARM}Idle=20s\n`);
    end(rig, await warmed(rig, 2));
    rig.timers.pass(25_000);
    expect(scattered(rig).warm).toBe(0n);
    expect(rig.timers.pending).toBe(0);
  });
});

describe('a lower limit', () => {
  it.each(['SetPoolLimit', 'Reload'])(
    'takes what lies ready at once, and nothing that is out (%s)',
    async (how) => {
      const rig = rigOf(WARM, { inventory: machine([SYSTEM]) });
      const granted = await warmed(rig, 4);
      rig.heard.length = 0;
      if (how === 'SetPoolLimit') rig.broker.setPoolLimit(scattered(rig).handle, 5n * PAGE);
      else {
        rig.setPolicy(policyOf('[Pool scattered]\nLimit=20K\nWarm=32K\n'));
        await rig.broker.reload();
      }
      expect(scattered(rig)).toMatchObject({ limit: 5n * PAGE, live: 4n * PAGE, warm: PAGE });
      expect(rig.heard).toContain('poolChanged');
      expect(rig.broker.allocations()).toMatchObject([{ state: 'held', size: 4n * PAGE }]);
      rig.broker.setPoolLimit(scattered(rig).handle, PAGE);
      expect(scattered(rig)).toMatchObject({ limit: PAGE, live: 4n * PAGE, warm: 0n });
      await expect(rig.broker.allocate(OWNER, bytes(PAGE))).rejects.toMatchObject({ code: 'PoolExhausted' });
      end(rig, granted);
      expect(scattered(rig).live).toBe(0n);
      end(rig, await rig.broker.allocate(OWNER, bytes(PAGE)));
    },
  );

  it('takes what lies ready of a heap that policy uses no more', async () => {
    const rig = rigOf(WARM);
    const granted = await warmed(rig, 4);
    rig.setPolicy(policyOf(`${WARM}[Heap name=system]\nUse=no\n`));
    await rig.broker.reload();
    await vi.waitFor(() => {
      // The client's descriptors and the broker's are of the same four buffers.
      expect(bufferBytesOpen()).toBe(4n * PAGE);
    });
    end(rig, granted);
  });
});

describe('a reload', () => {
  it('that fails half-way changes nothing', async () => {
    const rig = rigOf(WARM);
    const granted = await warmed(rig, 2);
    rig.heard.length = 0;
    const before = rig.broker.pools();
    const broken: Policy = {
      ...policyOf('[Pool scattered]\nLimit=4K\nWarm=0\n'),
      device: () => {
        throw new Error('a mistake');
      },
    };
    rig.setPolicy(broken);
    await expect(rig.broker.reload()).rejects.toThrow('a mistake');
    expect(rig.broker.pools()).toEqual(before);
    expect(rig.heard).toEqual([]);
    end(rig, granted);
  });

  it('decides anew what the old policy refused meanwhile', async () => {
    const rig = rigOf('[Pool contiguous]\nLimit=1M\nAccess=active-session\n');
    rig.broker.consult({
      isActive: async () => {
        rig.setPolicy(policyOf('[Pool contiguous]\nLimit=1M\n'));
        await rig.broker.reload();
        return false;
      },
    });
    end(rig, await rig.broker.allocate(OWNER, contiguous));
    rig.setPolicy(policyOf('[Pool contiguous]\nLimit=1M\nAccess=active-session\n'));
    await rig.broker.reload();
    expect((await rig.broker.explain(OWNER, contiguous)).limits).toEqual([]);
  });

  it('that replaces the pools does not cost a request that either policy grants', async () => {
    const session = '[Pool scattered]\nAccess=active-session\n[Heap name=reserved]\nUse=no\n';
    const rig = rigOf(session);
    rig.broker.consult({
      isActive: async () => {
        rig.setPolicy(policyOf(`${session}[Heap name=system]\nClass=device\n`));
        await rig.broker.reload();
        return true;
      },
    });
    const granted = await rig.broker.allocate(OWNER, bytes(PAGE));
    expect(rig.broker.pools()).toMatchObject([{ handle: granted.layout.pool, class: 'device' }]);
    end(rig, granted);
  });

  it('lets whom it refuses know, and does not try for ever', async () => {
    const rig = rigOf('[Pool contiguous]\nAccess=administrator\n');
    await expect(rig.broker.allocate(OWNER, contiguous)).rejects.toMatchObject({ code: 'AccessDenied' });
  });

  it('costs nobody what is just being made', async () => {
    const rig = rigOf(WARM);
    const heap = rig.heap(SYSTEM.id);
    heap.holdsBack = true;
    const waiting = rig.broker.allocate(OWNER, bytes(PAGE, { count: 2 }));
    await vi.waitFor(() => {
      expect(heap.waiting.length).toBe(2);
    });
    rig.setPolicy(policyOf(`${WARM}[Heap name=system]\nUse=no\n`));
    await rig.broker.reload();
    heap.letGo();
    const granted = await waiting;
    expect(rig.broker.totals().liveBytes).toBe(2n * PAGE);
    end(rig, granted);
    expect(rig.broker.totals().liveBytes).toBe(0n);
  });
});
