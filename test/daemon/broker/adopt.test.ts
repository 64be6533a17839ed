import { afterEach, describe, expect, it, vi } from 'vitest';

import { closeAll } from '../../../dbus/owned-fd.js';
import type { BrokerEvents, Granted } from '../../../daemon/broker/broker-types.js';
import { type Device, type Inventory, CPU_DEVICE } from '../../../daemon/devices/inventory.js';
import { buffersOpen, PAGE } from '../fake-heap.js';
import { CAMERA, CMA, GPU, machine, MEMFD, MIB, policyOf, SYSTEM } from '../machine.js';
import { bytes, entry, image, makeRig, OWNER, ROOMY, type Rig, type RigOptions } from './rig.js';
import { naming } from '../../harness/naming.js';

const given: Granted[] = [];
const rigs: Rig[] = [];
afterEach(async () => {
  for (const { fds } of given.splice(0)) closeAll(fds);
  for (const { broker, timers } of rigs.splice(0)) {
    broker.ownerLeft(OWNER.bus, OWNER.name);
    timers.pass(5000);
    broker.close();
  }
  await vi.waitFor(() => {
    expect(buffersOpen()).toEqual([]);
  });
});

function rigOf(options?: RigOptions): Rig {
  const rig = makeRig(options);
  rigs.push(rig);
  return rig;
}

const WITHOUT_CMA = machine([SYSTEM, MEMFD]);
const contiguous = bytes(PAGE, { entries: [entry('cpu', { limits: { contiguous: true } })] });

async function allocate({ broker }: Rig, request = contiguous): Promise<Granted> {
  const granted = await broker.allocate(OWNER, request);
  given.push(granted);
  return granted;
}

const poolOf = ({ broker }: Rig, memoryClass: string) =>
  broker.pools().find((pool) => pool.class === memoryClass);
const withDevices = (...devices: readonly Device[]): Inventory => machine(undefined, devices);
const nodes = ({ broker }: Rig): string[] => broker.devices().map(({ device }) => device.node);

describe('a device', () => {
  it('that comes is there, and its coming is told', async () => {
    const rig = rigOf({ inventory: withDevices(CPU_DEVICE) });
    await expect(rig.broker.explain(OWNER, image({ entries: [entry(CAMERA.number)] }))).rejects.toMatchObject(
      { code: 'UnknownDevice' },
    );
    rig.become(withDevices(CPU_DEVICE, CAMERA));
    expect(rig.heard).toEqual(['totalsChanged', 'deviceAdded']);
    expect(nodes(rig)).toEqual(['cpu', CAMERA.node]);
    expect(await rig.broker.explain(OWNER, image({ entries: [entry(CAMERA.number)] }))).toMatchObject({
      feasible: true,
    });
  });

  it('that goes is not there, its going is told, and what was made for it lives', async () => {
    const rig = rigOf();
    const granted = await allocate(rig, image({ entries: [entry(CAMERA.node, { uses: ['capture'] })] }));
    const before = rig.broker.allocations();
    rig.heard.length = 0;
    rig.become(withDevices(CPU_DEVICE, GPU));
    expect(rig.heard).toEqual(['totalsChanged', 'deviceRemoved']);
    expect(nodes(rig)).toEqual(['cpu', GPU.node]);
    await expect(rig.broker.allocate(OWNER, image({ entries: [entry(CAMERA.node)] }))).rejects.toMatchObject({
      code: 'UnknownDevice',
    });
    expect(rig.broker.allocations()).toEqual(before);
    expect(granted.fds.every(({ open }) => open)).toBe(true);
    given.push(await rig.broker.allocate(OWNER, { extends: granted.allocation.id, count: 1 }));
    expect(rig.broker.allocations()[0]?.layout.count).toBe(4);
  });

  it('that changes is told as changed, and one that does not is not told of', () => {
    const rig = rigOf();
    rig.become(withDevices(CPU_DEVICE, { ...GPU, name: 'another name' }, { ...CAMERA }));
    expect(rig.heard).toEqual(['totalsChanged', 'deviceChanged']);
  });

  it('whose display is larger makes pools larger that policy sizes by it', () => {
    const policy = '[Pool scattered]\nLimit=1 frames\n';
    const modes = (width: number) => [
      { connector: 'DP-1', width, height: 1024, refresh: 60, preferred: true, current: true },
    ];
    const rig = rigOf({ inventory: withDevices(CPU_DEVICE, { ...GPU, modes: modes(1024) }), policy });
    const before = poolOf(rig, 'scattered');
    rig.become(withDevices(CPU_DEVICE, { ...GPU, modes: modes(2048) }));
    expect(poolOf(rig, 'scattered')).toMatchObject({
      handle: before?.handle,
      limit: (before?.limit ?? 0n) * 2n,
    });
    expect(rig.heard).toContain('poolChanged');
  });
});

describe('a request under way', () => {
  it('goes on when its device goes meanwhile', async () => {
    const rig = rigOf();
    rig.heap(SYSTEM.id).holdsBack = true;
    const request = allocate(rig, image({ entries: [entry(CAMERA.node, { uses: ['capture'] })] }));
    await vi.waitFor(() => {
      expect(rig.heap(SYSTEM.id).waiting).not.toEqual([]);
    });
    rig.become(withDevices(CPU_DEVICE));
    rig.heap(SYSTEM.id).letGo();
    expect((await request).fds).toHaveLength(3);
  });

  it('gets no memory that is gone, and leaves none behind', async () => {
    const rig = rigOf();
    const heap = rig.heap(CMA.id);
    heap.holdsBack = true;
    const request = allocate(rig);
    await vi.waitFor(() => {
      expect(heap.waiting).not.toEqual([]);
    });
    rig.become(WITHOUT_CMA);
    expect(heap.closed).toBe(false);
    heap.letGo();
    // Decided again: of the memory that is left none would do.
    await expect(request).rejects.toMatchObject({ code: 'Conflict' });
    expect(heap.closed).toBe(true);
    expect(rig.broker.totals()).toMatchObject({ liveBytes: 0n, liveBuffers: 0 });
    expect(rig.broker.allocations()).toEqual([]);
  });

  it('gets no memory whose heap went before its turn came', async () => {
    const rig = rigOf();
    const heap = rig.heap(CMA.id);
    heap.holdsBack = true;
    // As many as are made at once, and one that waits behind them.
    const requests = [0, 1, 2, 3].map(() => allocate(rig));
    await vi.waitFor(() => {
      expect(heap.waiting).toHaveLength(3);
    });
    rig.become(WITHOUT_CMA);
    heap.letGo();
    for (const request of await Promise.allSettled(requests))
      expect(request).toMatchObject({ status: 'rejected', reason: { code: 'Conflict' } });
    expect(heap.closed).toBe(true);
    expect(rig.logged.filter(({ event }) => event === 'heap-failed')).toEqual([]);
  });

  it('falls to the next memory that would do', async () => {
    const rig = rigOf();
    const heap = rig.heap(SYSTEM.id);
    heap.holdsBack = true;
    const request = allocate(rig, bytes(PAGE));
    await vi.waitFor(() => {
      expect(heap.waiting).not.toEqual([]);
    });
    rig.become(machine([CMA, MEMFD]));
    heap.letGo();
    expect((await request).layout.pool).toBe(poolOf(rig, 'plain')?.handle);
  });

  it('is decided again when all that would do went before it was asked for', async () => {
    const rig = rigOf();
    const request = allocate(rig);
    // The decision is made, and nothing is taken yet.
    rig.become(WITHOUT_CMA);
    await expect(request).rejects.toMatchObject({ code: 'Conflict' });
    const later = allocate(rig);
    rig.become(machine([SYSTEM, CMA, MEMFD]));
    expect((await later).layout.pool).toBe(poolOf(rig, 'contiguous')?.handle);
  });
});

describe('the pool of a heap that is gone', () => {
  it('is closed: its object goes, and the log and everybody are told why', () => {
    const rig = rigOf();
    const handle = poolOf(rig, 'contiguous')?.handle ?? '';
    rig.become(WITHOUT_CMA);
    expect(rig.heard).toContain('poolRemoved');
    expect(poolOf(rig, 'contiguous')).toBeUndefined();
    expect(rig.heap(CMA.id).closed).toBe(true);
    expect(() => rig.broker.reveal(handle)).toThrow(expect.objectContaining({ code: 'InvalidRequest' }));
    const { warnings } = rig.broker.totals();
    expect(warnings.filter((text) => naming(handle, 'contiguous').test(text))).toHaveLength(1);
    expect(warnings.join()).not.toContain(CMA.name);
    expect(rig.logged).toContainEqual({ level: 'warn', event: 'heap-gone', heap: CMA.id });
  });

  it('counts what is out until that comes back, and is heard of no more', async () => {
    const rig = rigOf();
    const { allocation, fds } = await allocate(rig);
    rig.become(WITHOUT_CMA);
    expect(rig.broker.totals()).toMatchObject({ liveBytes: PAGE, liveBuffers: 1 });
    expect(rig.broker.allocations()).toEqual([allocation]);
    await expect(rig.broker.allocate(OWNER, { extends: allocation.id })).rejects.toMatchObject({
      code: 'Unavailable',
    });
    rig.heard.length = 0;
    closeAll(fds);
    rig.broker.release(OWNER, allocation.id, false);
    expect(rig.broker.totals()).toMatchObject({ liveBytes: 0n, liveBuffers: 0 });
    expect(rig.heard).toEqual(['allocationRemoved', 'totalsChanged']);
  });

  it('is another when the memory comes back, and nobody is warned any more', async () => {
    const rig = rigOf();
    const handle = poolOf(rig, 'contiguous')?.handle ?? '';
    const { allocation } = await allocate(rig);
    rig.become(WITHOUT_CMA);
    rig.become(machine());
    const again = poolOf(rig, 'contiguous');
    expect(again?.handle).not.toBe(handle);
    expect(again).toMatchObject({ live: 0n });
    expect(rig.broker.totals().warnings.join()).not.toContain(handle);
    expect((await allocate(rig)).layout.pool).toBe(again?.handle);
    // What the old one gave never grows from the new one.
    await expect(rig.broker.allocate(OWNER, { extends: allocation.id })).rejects.toMatchObject({
      code: 'Unavailable',
    });
  });

  it('is warned of once, however often its memory comes and goes', () => {
    const rig = rigOf();
    const closed: string[] = [];
    for (let i = 0; i < 20; i++) {
      closed.push(poolOf(rig, 'contiguous')?.handle ?? '');
      rig.become(WITHOUT_CMA);
      const { warnings } = rig.broker.totals();
      const named = closed.filter((handle) => warnings.some((text) => text.includes(handle)));
      expect(named).toEqual(closed.slice(-1));
      rig.become(machine());
    }
  });

  it('keeps nothing ready', async () => {
    const rig = rigOf({ warm: true, policy: `${ROOMY}[Pool contiguous]\nWarm=1M\n` });
    const { allocation, fds } = await allocate(rig);
    closeAll(fds);
    rig.broker.release(OWNER, allocation.id, false);
    await vi.waitFor(() => {
      rig.timers.pass(100);
      expect(poolOf(rig, 'contiguous')?.warm).toBeGreaterThan(0n);
    });
    const heap = rig.heap(CMA.id);
    rig.become(WITHOUT_CMA);
    await vi.waitFor(() => {
      expect([buffersOpen(), heap.closed]).toEqual([[], true]);
    });
  });
});

describe('what stays when the machine changes', () => {
  it('is the limit that an administrator gave, until policy is read again', async () => {
    const rig = rigOf();
    const handle = poolOf(rig, 'scattered')?.handle ?? '';
    rig.broker.setPoolLimit(handle, 3n * MIB);
    rig.heard.length = 0;
    rig.become(withDevices(CPU_DEVICE));
    expect(poolOf(rig, 'scattered')).toMatchObject({ handle, limit: 3n * MIB });
    expect(rig.heard).not.toContain('poolChanged');
    rig.setPolicy(policyOf(ROOMY));
    await rig.broker.reload();
    expect(poolOf(rig, 'scattered')).toMatchObject({ handle, limit: 64n * MIB });
  });

  it('is the new machine when policy is read again', async () => {
    const rig = rigOf();
    rig.become(machine([SYSTEM, MEMFD], [CPU_DEVICE]));
    rig.setPolicy(policyOf(ROOMY));
    await rig.broker.reload();
    expect(nodes(rig)).toEqual(['cpu']);
    expect(poolOf(rig, 'contiguous')).toBeUndefined();
  });

  it('is not what the old machine was warned of', () => {
    const rig = rigOf();
    rig.become(machine(), ['a heap cannot be used']);
    const { warnings } = rig.broker.totals();
    expect(warnings).toContain('a heap cannot be used');
    expect(warnings).not.toContain('a warning of the start');
  });

  it('is everything, when whoever listens fails', () => {
    const rig = rigOf();
    rig.broker.listen(
      new Proxy({} as BrokerEvents, {
        get: () => () => {
          throw new Error('deaf');
        },
      }),
    );
    rig.become(withDevices(CPU_DEVICE));
    expect(nodes(rig)).toEqual(['cpu']);
  });
});
