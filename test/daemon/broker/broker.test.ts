import { afterEach, describe, expect, it, vi } from 'vitest';

import { closeAll } from '../../../dbus/owned-fd.js';
import { buffersOpen, PAGE } from '../fake-heap.js';
import { CMA, GPU, machine, MEMFD, MIB, policyOf, SYSTEM } from '../machine.js';
import { bytes, entry, image, makeRig, OTHER, OWNER, ROOMY } from './rig.js';
import { naming } from '../../harness/naming.js';

afterEach(async () => {
  await vi.waitFor(() => {
    expect(buffersOpen()).toEqual([]);
  });
});

const unknown = expect.objectContaining({ code: 'UnknownAllocation' }) as Error;

describe('release', () => {
  it('is for the owner and an administrator, and once', async () => {
    const { broker } = makeRig();
    const [mine, theirs] = [await broker.allocate(OWNER, bytes(1n)), await broker.allocate(OTHER, bytes(1n))];
    closeAll([...mine.fds, ...theirs.fds]);
    expect(() => {
      broker.release(OTHER, mine.allocation.id, false);
    }).toThrow(unknown);
    broker.release(OWNER, mine.allocation.id, false);
    expect(() => {
      broker.release(OWNER, mine.allocation.id, false);
    }).toThrow(unknown);
    broker.release(OWNER, theirs.allocation.id, true);
    expect(broker.allocations()).toEqual([]);
  });

  it('keeps counting what others still hold, and shows it as orphaned', async () => {
    const { broker, timers, heard } = makeRig();
    const { allocation, fds } = await broker.allocate(OWNER, bytes(1n, { count: 2 }));
    heard.length = 0;
    broker.release(OWNER, allocation.id, false);
    expect(heard).toEqual(['allocationChanged']);
    expect(broker.allocations()).toMatchObject([{ id: allocation.id, state: 'orphaned', size: 2n * PAGE }]);
    expect(broker.totals()).toMatchObject({ liveBytes: 2n * PAGE, liveBuffers: 2 });
    expect(() => {
      broker.release(OWNER, allocation.id, true);
    }).toThrow(unknown);
    closeAll(fds);
    timers.pass(1000);
    expect(heard.slice(1)).toEqual(['allocationRemoved', 'poolChanged', 'totalsChanged']);
    expect(broker.totals()).toMatchObject({ liveBytes: 0n, liveBuffers: 0 });
    expect(timers.pending).toBe(0);
  });

  it('counts plain memory until nothing has it', async () => {
    const { broker, dmaBuf, timers } = makeRig({ inventory: machine([MEMFD]) });
    const { allocation, fds } = await broker.allocate(OWNER, bytes(1n, { label: 'x' }));
    expect(allocation.label).toBe('x');
    expect(dmaBuf.names.size).toBe(0);
    broker.release(OWNER, allocation.id, false);
    broker.ownerLeft(OWNER.bus, OWNER.name);
    expect(broker.allocations()).toMatchObject([{ id: allocation.id, state: 'orphaned' }]);
    expect(broker.totals().liveBytes).toBe(PAGE);
    closeAll(fds);
    timers.pass(1000);
    expect(broker.allocations()).toEqual([]);
    expect(broker.totals().liveBytes).toBe(0n);
  });

  it('counts a buffer whose references cannot be read as held', async () => {
    const { broker, dmaBuf, timers, logged } = makeRig();
    const { allocation, fds } = await broker.allocate(OWNER, bytes(1n));
    closeAll(fds);
    dmaBuf.fail.add('references');
    broker.release(OWNER, allocation.id, false);
    expect(broker.totals().liveBytes).toBe(PAGE);
    expect(logged).toMatchObject([{ level: 'warn', event: 'references-unknown' }]);
    timers.pass(1000);
    expect(broker.totals().liveBytes).toBe(0n);
  });
});

describe('undo', () => {
  it('takes a whole allocation back', async () => {
    const { broker } = makeRig();
    const granted = await broker.allocate(OWNER, bytes(1n, { count: 3 }));
    closeAll(granted.fds);
    broker.undo(granted);
    broker.undo(granted);
    expect(broker.allocations()).toEqual([]);
    expect(broker.totals()).toMatchObject({ liveBytes: 0n, liveBuffers: 0 });
  });

  it('takes back exactly an extension', async () => {
    const { broker } = makeRig();
    const first = await broker.allocate(OWNER, bytes(1n));
    const more = await broker.allocate(OWNER, { extends: first.allocation.id, count: 2 });
    closeAll([...first.fds, ...more.fds]);
    broker.undo(more);
    expect(broker.allocations()).toEqual([first.allocation]);
    broker.release(OWNER, first.allocation.id, false);
    broker.undo(more);
    broker.undo(first);
    expect(broker.totals()).toMatchObject({ liveBytes: 0n, liveBuffers: 0 });
  });
});

describe('a label', () => {
  it('that cannot be set costs nobody the memory', async () => {
    const { broker, dmaBuf } = makeRig();
    dmaBuf.fail.add('setName');
    const { allocation, fds } = await broker.allocate(OWNER, bytes(1n, { label: 'x' }));
    expect(allocation.label).toBe('x');
    closeAll(fds);
    broker.release(OWNER, allocation.id, false);
  });
});

describe('explain', () => {
  it('decides as allocate does, and takes nothing', async () => {
    const { broker, heap } = makeRig();
    const request = image({
      entries: [entry(GPU.node, { uses: ['scanout'], limits: { contiguous: true } })],
    });
    const explanation = await broker.explain(OWNER, request);
    expect(heap(CMA.id).mostRunning).toBe(0);
    const granted = await broker.allocate(OWNER, request);
    expect(explanation).toMatchObject({ feasible: true, layout: granted.layout, conflicts: [], limits: [] });
    expect(explanation.constraints).toContainEqual({
      kind: 'contiguous',
      value: true,
      origin: { entry: 0, device: GPU.node, source: 'client' },
    });
    closeAll(granted.fds);
    broker.release(OWNER, granted.allocation.id, false);
  });

  it('says what allocate would still refuse', async () => {
    const { broker } = makeRig({ policy: `${ROOMY}[Broker]\nMaxBuffer=1M\n` });
    const explanation = await broker.explain(OWNER, bytes(2n * MIB));
    expect(explanation.feasible).toBe(true);
    expect(explanation.layout).toMatchObject({ size: 2n * MIB });
    expect(explanation.limits).toEqual([expect.stringContaining('MaxBuffer')]);
  });

  it('names the pool that has room', async () => {
    const { broker } = makeRig({ policy: '[Pool scattered]\nLimit=0\n[Pool plain]\nLimit=1M\n' });
    const explanation = await broker.explain(OWNER, bytes(1n));
    const pool = broker.pools().find(({ handle }) => handle === explanation.layout?.pool);
    expect(pool?.class).toBe('plain');
    expect(explanation.limits).toEqual([]);
  });

  it('suggests what the client can leave out, when that helps', async () => {
    const { broker } = makeRig();
    const entries = [
      entry('cpu', { limits: { protected: true } }),
      entry('cpu', { limits: { 'pitch-exact': 4 } }),
    ];
    const explanation = await broker.explain(OWNER, image({ entries }));
    expect(explanation.feasible).toBe(false);
    expect(explanation.layout).toBeUndefined();
    expect(explanation.suggestions).toEqual([
      expect.stringMatching(naming('protected yes', 'cpu', 0, 'client')),
    ]);
  });

  it('suggests nothing that does not help', async () => {
    const { broker } = makeRig();
    const entries = [
      entry('cpu', { limits: { protected: true } }),
      entry('cpu', { limits: { 'pitch-min': 999, 'pitch-max': 99 } }),
    ];
    expect((await broker.explain(OWNER, image({ entries }))).suggestions).toEqual([]);
  });

  it('refuses what is wrong with the request itself', async () => {
    const { broker } = makeRig();
    await expect(broker.explain(OWNER, image({ entries: [entry('nobody')] }))).rejects.toMatchObject({
      code: 'UnknownDevice',
    });
  });
});

describe('pools', () => {
  const handleOf = (broker: ReturnType<typeof makeRig>['broker'], memoryClass: string): string => {
    const pool = broker.pools().find((view) => view.class === memoryClass);
    if (pool === undefined) throw new Error(`no ${memoryClass} pool`);
    return pool.handle;
  };

  it('can be limited until the next reload', async () => {
    const { broker, heard } = makeRig();
    const handle = handleOf(broker, 'scattered');
    broker.setPoolLimit(handle, 1n);
    expect(heard).toEqual(['poolChanged']);
    expect(broker.pools().find((pool) => pool.handle === handle)?.limit).toBe(1n);
    const granted = await broker.allocate(OWNER, bytes(1n));
    expect(granted.layout.pool).toBe(handleOf(broker, 'plain'));
    await broker.reload();
    expect(broker.pools().find((pool) => pool.handle === handle)?.limit).toBe(64n * MIB);
    closeAll(granted.fds);
    broker.release(OWNER, granted.allocation.id, false);
  });

  it('are revealed to those who ask by handle', () => {
    const { broker } = makeRig();
    expect(Object.fromEntries(broker.reveal(handleOf(broker, 'contiguous')))).toMatchObject({
      heap: CMA.id,
      name: 'reserved',
      kind: 'dma-heap',
      node: '/dev/dma_heap/reserved',
      class: 'contiguous',
      capacity: 64n * MIB,
    });
  });

  it('are refused by handles that nobody has', () => {
    const { broker } = makeRig();
    const invalid = expect.objectContaining({ code: 'InvalidRequest' }) as Error;
    expect(() => broker.reveal('nobody')).toThrow(invalid);
    expect(() => {
      broker.setPoolLimit('nobody', 1n);
    }).toThrow(invalid);
  });
});

describe('reload', () => {
  it('decides by the new policy, and says what changed', async () => {
    const { broker, heard, setPolicy } = makeRig();
    setPolicy(
      policyOf(`[Device driver=testdrm]\nPitchMultiple=4096\n[Heap name=reserved]\nUse=no\n${ROOMY}`),
    );
    await broker.reload();
    expect(heard).toEqual([
      'poolRemoved',
      'totalsChanged',
      'deviceChanged',
      'deviceChanged',
      'deviceChanged',
    ]);
    const { layout } = await broker.explain(
      OWNER,
      image({ entries: [entry(GPU.node, { uses: ['scanout'] })] }),
    );
    expect(layout?.image?.planes).toEqual([{ offset: 0n, pitch: 4096 }]);
  });

  it('says nothing of devices that stand as before', async () => {
    const { broker, heard, setPolicy } = makeRig();
    setPolicy(policyOf('[Pool plain]\nLimit=5M\n' + ROOMY.replace(/\[Pool plain\]\n.*\n/, '')));
    await broker.reload();
    expect(heard).toEqual(['poolChanged', 'totalsChanged']);
  });

  it('changes nothing when policy cannot be read', async () => {
    const { broker, heard, setPolicy } = makeRig();
    const before = broker.pools();
    setPolicy(new Error('unreadable'));
    await expect(broker.reload()).rejects.toThrow('unreadable');
    expect(broker.pools()).toEqual(before);
    expect(heard).toEqual([]);
    setPolicy(policyOf(ROOMY));
    await expect(broker.reload()).resolves.toBeUndefined();
  });

  it('keeps what was allocated from a pool that policy uses no more, and lets it grow no more', async () => {
    const { broker, setPolicy } = makeRig();
    const granted = await broker.allocate(OWNER, bytes(1n));
    setPolicy(policyOf(`${ROOMY}[Heap name=system]\nUse=no\n`));
    await broker.reload();
    expect(broker.totals().liveBytes).toBe(PAGE);
    await expect(broker.allocate(OWNER, { extends: granted.allocation.id })).rejects.toMatchObject({
      code: 'AccessDenied',
    });
    closeAll(granted.fds);
    broker.release(OWNER, granted.allocation.id, false);
    expect(broker.totals().liveBytes).toBe(0n);
  });
});

describe('what a person should know', () => {
  it('is what policy, the inventory and the start warn of', () => {
    const inventory = { ...machine(), warnings: ['a warning of the inventory'] };
    const { broker } = makeRig({ inventory, policy: '[Broker]\nNonsense=1\n' });
    const { warnings, policyFiles } = broker.totals();
    expect(policyFiles).toEqual(['/etc/dmabroker/dmabroker.conf']);
    expect(warnings).toContain('a warning of the inventory');
    expect(warnings).toContain('a warning of the start');
    expect(warnings.some((text) => text.includes('Nonsense'))).toBe(true);
    expect(warnings.some((text) => text.includes('testdrm'))).toBe(true);
  });

  it('is memory that policy counts on and the machine does not have', () => {
    const { broker } = makeRig({ policy: '[Pool contiguous]\nLimit=100M\n' });
    expect(broker.totals().shortfalls).toEqual([
      {
        class: 'contiguous',
        asked: 100n * MIB,
        available: 64n * MIB,
        text: expect.stringMatching(naming('policy:/etc/dmabroker/dmabroker.conf:2', '`cma=112M`')) as string,
        mend: expect.stringMatching(naming('`cma=112M`')) as string,
      },
    ]);
  });

  it('is contiguous memory that a device cannot do without', () => {
    const { broker } = makeRig({
      inventory: machine([SYSTEM]),
      policy: '[Device driver=testcam]\nContiguous=yes\n[Pool contiguous]\nLimit=9M\n',
    });
    expect(broker.totals().shortfalls).toMatchObject([
      {
        class: 'contiguous',
        asked: 9n * MIB,
        available: 0n,
        text: expect.stringContaining('/dev/video0') as string,
      },
    ]);
  });

  it('is nothing where nothing lacks', () => {
    expect(makeRig().broker.totals().shortfalls).toEqual([]);
  });

  it('is which pools a device reaches', () => {
    const { broker } = makeRig();
    const classes = (node: string): (string | undefined)[] | undefined =>
      broker
        .devices()
        .find(({ device }) => device.node === node)
        ?.pools.map((handle) => broker.pools().find((pool) => pool.handle === handle)?.class);
    expect(classes('cpu')).toEqual(['scattered', 'plain', 'contiguous']);
    expect(classes(GPU.node)).toEqual(['scattered', 'contiguous']);
  });
});

describe('the end', () => {
  it('closes the heaps and sets no timer any more', async () => {
    const { broker, heap, timers } = makeRig();
    const { allocation, fds } = await broker.allocate(OWNER, bytes(1n));
    broker.release(OWNER, allocation.id, false);
    expect(timers.pending).toBe(1);
    closeAll(fds);
    timers.pass(1000);
    broker.close();
    expect(heap(SYSTEM.id).closed).toBe(true);
    expect(timers.pending).toBe(0);
  });
});
