import { fstatSync } from 'node:fs';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { closeAll } from '../../../dbus/owned-fd.js';
import type { Granted } from '../../../daemon/broker/broker-types.js';
import { buffersOpen, PAGE } from '../fake-heap.js';
import { CAMERA, CMA, GPU, heapFacts, machine, MEMFD, MIB, SYSTEM } from '../machine.js';
import { bytes, entry, image, makeRig, OTHER, OWNER, ROOMY, type Rig } from './rig.js';
import { naming } from '../../harness/naming.js';

/** Everything of the grants goes, as when client and connection are done. */
function finish({ broker, timers }: Rig, ...grants: Granted[]): void {
  for (const { fds } of grants) closeAll(fds);
  for (const { owner } of broker.allocations()) broker.ownerLeft(owner.bus, owner.name);
  timers.pass(2000);
  expect(broker.totals()).toMatchObject({ liveBytes: 0n, liveBuffers: 0 });
  expect(broker.pools().every(({ live }) => live === 0n)).toBe(true);
}

const refusal = async (refused: Granted | Promise<Granted>): Promise<{ code: string; message: string }> =>
  Promise.resolve(refused).then(
    () => {
      throw new Error('this was not refused');
    },
    (error: unknown) => error as { code: string; message: string },
  );

const poolClass = ({ broker }: Rig, { layout }: Granted): string | undefined =>
  broker.pools().find(({ handle }) => handle === layout.pool)?.class;

afterEach(async () => {
  await vi.waitFor(() => {
    expect(buffersOpen()).toEqual([]);
  });
});

describe('allocate', () => {
  it('grants buffers of one layout, each a descriptor of its own for the client', async () => {
    const rig = makeRig();
    const granted = await rig.broker.allocate(OWNER, image({ count: 2, label: 'frames' }));
    expect(granted.layout).toEqual({
      image: { format: 'XR24', modifier: 0n, width: 64, height: 64, planes: [{ offset: 0n, pitch: 256 }] },
      size: 64n * 256n,
      count: 2,
      pool: expect.stringMatching(/^[0-9a-f]{12}$/) as string,
      cpuAccess: 'cached',
    });
    expect(poolClass(rig, granted)).toBe('scattered');
    expect(granted.allocation).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
      owner: OWNER,
      label: 'frames',
      layout: granted.layout,
      size: 8n * PAGE,
      created: 42n,
      state: 'held',
    });
    const inodes = granted.fds.map((fd) => fstatSync(fd.number, { bigint: true }).ino);
    expect(new Set(inodes).size).toBe(2);
    expect(buffersOpen()).toHaveLength(4);
    expect(inodes.map((inode) => rig.dmaBuf.names.get(inode))).toEqual(['frames', 'frames']);
    expect(rig.broker.totals()).toMatchObject({ liveBytes: 8n * PAGE, liveBuffers: 2 });
    expect(rig.heard).toEqual(['allocationAdded', 'poolChanged', 'totalsChanged']);
    finish(rig, granted);
  });

  it('makes as many buffers as the participants hold on to', async () => {
    const rig = makeRig();
    const entries = [entry('81:0', { uses: ['capture'] }), entry('cpu', { limits: { 'min-buffers': 1 } })];
    const granted = await rig.broker.allocate(OWNER, image({ entries }));
    expect(granted.fds).toHaveLength(4);
    finish(rig, granted);
  });

  it('counts the memory behind a buffer, which is whole pages', async () => {
    const rig = makeRig();
    const granted = await rig.broker.allocate(OWNER, bytes(1n));
    expect(granted.layout.size).toBe(1n);
    expect(granted.allocation.size).toBe(PAGE);
    finish(rig, granted);
  });

  it('takes scarce memory only for those who need it', async () => {
    const rig = makeRig();
    const granted = await rig.broker.allocate(
      OWNER,
      image({ entries: [entry(GPU.node, { uses: ['scanout'], limits: { contiguous: true } })] }),
    );
    expect(poolClass(rig, granted)).toBe('contiguous');
    finish(rig, granted);
  });

  it('asks nothing for a wish that is false', async () => {
    const rig = makeRig();
    const limits = { contiguous: false, protected: false, 'pitch-linked': false };
    const granted = await rig.broker.allocate(OWNER, image({ entries: [entry('cpu', { limits })] }));
    expect(poolClass(rig, granted)).toBe('scattered');
    finish(rig, granted);
  });

  it('names the constraints that cannot hold together, and no heap', async () => {
    const { broker } = makeRig({ policy: `${ROOMY}[Device driver=testdrm]\nPitchExact=256\n` });
    const entries = [entry('226:128', { uses: ['render'] }), entry('cpu', { limits: { 'pitch-exact': 96 } })];
    const { code, message } = await refusal(
      broker.allocate(OWNER, image({ entries, content: { format: 'XR24', width: 65, height: 64 } })),
    );
    expect(code).toBe('Conflict');
    expect(message).toMatch(
      naming('pitch-exact 256', '/dev/dri/card0', 'policy:/etc/dmabroker/dmabroker.conf:8'),
    );
    expect(message).toMatch(naming('pitch-exact 96', 'cpu', 'client'));
    expect(message).not.toMatch(/dma_heap|system|reserved/);
  });

  it('names memory by handle and class when none fits', async () => {
    const { broker } = makeRig();
    const entries = [entry('cpu', { limits: { protected: true } })];
    const { code, message } = await refusal(broker.allocate(OWNER, image({ entries })));
    expect(code).toBe('Conflict');
    expect(message).toMatch(naming('protected yes', 'cpu', 'client'));
    expect(message).not.toMatch(/dma_heap|dma-heap|memfd|reserved/);
  });

  it.each([
    [{ total: 3 }, 'total 3'],
    [{ count: 3 }, 'count 3'],
  ])('finds too few buffers a conflict: %j', async (request, text) => {
    const { broker } = makeRig();
    const entries = [entry(CAMERA.node), entry('cpu', { limits: { 'min-buffers': 1 } })];
    const { code, message } = await refusal(broker.allocate(OWNER, image({ entries, ...request })));
    expect(code).toBe('Conflict');
    expect(message).toMatch(naming(text, 'request'));
    expect(message).toMatch(
      naming('min-buffers 3', '/dev/video0', 'kernel:V4L2_CID_MIN_BUFFERS_FOR_CAPTURE'),
    );
    expect(message).toMatch(naming('min-buffers 1', 'cpu', 'client'));
  });

  it('is not there to give when the machine has no memory', async () => {
    const { broker } = makeRig({ inventory: machine([]) });
    expect(await refusal(broker.allocate(OWNER, image()))).toMatchObject({ code: 'Unavailable' });
  });
});

describe('memory that is made', () => {
  it('is made in turns by user, however many connections one has', async () => {
    const rig = makeRig();
    const heap = rig.heap(SYSTEM.id);
    heap.holdsBack = true;
    const made: string[] = [];
    const ask = async (name: string, uid: number): Promise<Granted> => {
      const granted = await rig.broker.allocate({ ...OWNER, name, uid }, bytes(PAGE));
      made.push(name);
      return granted;
    };
    const names = Array.from({ length: 8 }, (_, i) => `:2.${i}`);
    const all = Promise.all([...names.map((name) => ask(name, 1000)), ask(':3.1', 1001)]);
    for (let count = 0; count < 9; count++) {
      await vi.waitUntil(() => heap.waiting.length > 0);
      heap.waiting.shift()?.();
    }
    const granted = await all;
    // Three are made at once, and one more of the many may come before.
    expect(made.indexOf(':3.1')).toBeLessThanOrEqual(4);
    finish(rig, ...granted);
  });
});

describe('limits', () => {
  it('refuses a buffer above MaxBuffer before anything is made', async () => {
    const { broker, heap } = makeRig({ policy: `${ROOMY}[Broker]\nMaxBuffer=1M\n` });
    const { code, message } = await refusal(broker.allocate(OWNER, bytes(MIB + 1n)));
    expect(code).toBe('QuotaExceeded');
    expect(message).toMatch(naming('MaxBuffer', '1 MiB', MIB + 1n, 'policy:/etc/dmabroker/dmabroker.conf:8'));
    expect(heap(SYSTEM.id).mostRunning).toBe(0);
  });

  it('falls from a full pool to the next, and refuses when none is left', async () => {
    const rig = makeRig({
      policy: '[Pool scattered]\nLimit=4K\n[Pool plain]\nLimit=4K\n[Pool contiguous]\nLimit=4K\n',
    });
    const grants: Granted[] = [];
    for (let i = 0; i < 3; i += 1) grants.push(await rig.broker.allocate(OWNER, bytes(1n)));
    expect(grants.map((granted) => poolClass(rig, granted))).toEqual(['scattered', 'plain', 'contiguous']);
    const { code, message } = await refusal(rig.broker.allocate(OWNER, bytes(1n)));
    expect(code).toBe('PoolExhausted');
    const full = rig.broker.pools().map((pool) => naming(pool.handle, pool.class, '4 KiB'));
    for (const named of full) expect(message).toMatch(named);
    expect(message).not.toMatch(/reserved|dma_heap/);
    finish(rig, ...grants);
  });

  it('falls to the next when the heap has no memory, and refuses when none has', async () => {
    const rig = makeRig();
    rig.heap(SYSTEM.id).faults = ['ENOMEM'];
    const granted = await rig.broker.allocate(OWNER, bytes(1n));
    expect(poolClass(rig, granted)).toBe('plain');
    for (const { id } of [SYSTEM, MEMFD, CMA]) rig.heap(id).faults = ['ENOMEM', 'ENOMEM'];
    const { code, message } = await refusal(rig.broker.allocate(OWNER, bytes(1n)));
    expect(code).toBe('PoolExhausted');
    for (const { handle } of rig.broker.pools()) expect(message).toMatch(naming(handle));
    expect(message).not.toMatch(naming('64 MiB'));
    finish(rig, granted);
  });

  it('falls to the next when a heap fails in another way, and logs that', async () => {
    const rig = makeRig();
    rig.heap(SYSTEM.id).faults = ['EINVAL'];
    const granted = await rig.broker.allocate(OWNER, bytes(1n));
    expect(poolClass(rig, granted)).toBe('plain');
    expect(rig.logged).toMatchObject([{ level: 'warn', event: 'heap-failed', heap: SYSTEM.id }]);
    finish(rig, granted);
  });

  it('says aloud only once that a heap fails, until it works again', async () => {
    const rig = makeRig();
    rig.heap(SYSTEM.id).faults = ['EINVAL', 'EINVAL', undefined, 'EINVAL'];
    const granted = [];
    for (let i = 0; i < 4; i++) granted.push(await rig.broker.allocate(OWNER, bytes(1n)));
    expect(rig.logged).toMatchObject(
      (['warn', 'debug', 'warn'] as const).map((level) => ({ level, event: 'heap-failed', heap: SYSTEM.id })),
    );
    finish(rig, ...granted);
  });

  it('is a mistake of its own when heaps fail and none is left', async () => {
    const { broker, heap } = makeRig({ inventory: machine([SYSTEM]) });
    heap(SYSTEM.id).faults = ['EINVAL'];
    const { code, message } = await refusal(broker.allocate(OWNER, bytes(1n)));
    expect(code).toBe('Internal');
    expect(message).not.toMatch(/EINVAL|dma/);
  });

  it('asks to come again when descriptors are out', async () => {
    const { broker, heap } = makeRig();
    heap(SYSTEM.id).faults = [undefined, 'EMFILE'];
    expect(await refusal(broker.allocate(OWNER, bytes(1n, { count: 3 })))).toMatchObject({
      code: 'Unavailable',
    });
    expect(broker.pools().every(({ live }) => live === 0n)).toBe(true);
  });

  it('asks to come again when the client’s copies cannot be made, and gives all back', async () => {
    const rig = makeRig();
    rig.heap(SYSTEM.id).lastDescriptorIn = 1;
    const { code } = await refusal(rig.broker.allocate(OWNER, bytes(1n, { count: 3 })));
    expect(code).toBe('Unavailable');
    expect(rig.broker.allocations()).toEqual([]);
    finish(rig);
  });

  it('asks no heap for more than one buffer of it can be', async () => {
    const udmabuf = heapFacts('udmabuf', { maxBuffer: { value: PAGE, source: 'kernel:size_limit_mb' } });
    const rig = makeRig({ inventory: machine([udmabuf, CMA]) });
    const granted = await rig.broker.allocate(OWNER, bytes(PAGE + 1n));
    expect(poolClass(rig, granted)).toBe('contiguous');
    finish(rig, granted);
  });

  it('hands plain memory out by policy’s word only, where policy has one', async () => {
    const rig = makeRig({ inventory: machine([MEMFD]), plainByPolicy: true });
    const { code, message } = await refusal(rig.broker.allocate(OWNER, bytes(1n)));
    expect(code).toBe('AccessDenied');
    expect(message).toMatch(naming('PlainOnSystemBus', 'policy:built-in'));
    const allowed = makeRig({
      inventory: machine([MEMFD]),
      plainByPolicy: true,
      policy: '[Broker]\nPlainOnSystemBus=yes\n',
    });
    finish(allowed, await allowed.broker.allocate(OWNER, bytes(1n)));
  });

  it('passes over plain memory that policy forbids', async () => {
    const rig = makeRig({
      plainByPolicy: true,
      policy: '[Pool scattered]\nLimit=0\n[Pool contiguous]\nLimit=1M\n',
    });
    const granted = await rig.broker.allocate(OWNER, bytes(1n));
    expect(poolClass(rig, granted)).toBe('contiguous');
    finish(rig, granted);
  });
});

describe('the share of a pool', () => {
  const POLICY = ['scattered', 'contiguous', 'plain']
    .map((memoryClass) => `[Pool ${memoryClass}]\nLimit=64K\nShare=50%\n`)
    .join('');
  const HALF = 8n * PAGE;
  const BELA = { ...OWNER, name: ':1.7', uid: 1001 };

  it('leaves others room, however many connections one user has', async () => {
    const rig = makeRig({ policy: POLICY });
    const all: Granted[] = [];
    // Half of each of three pools.
    for (let i = 0; i < 3; i++)
      all.push(await rig.broker.allocate({ ...OWNER, name: `:2.${i}` }, bytes(HALF)));
    const { code, message } = await refusal(rig.broker.allocate(OWNER, bytes(PAGE)));
    expect(code).toBe('PoolExhausted');
    expect(message).toMatch(naming('Share', 50, 1000, '32 KiB'));
    const explanation = await rig.broker.explain(OWNER, bytes(PAGE));
    expect(explanation.limits).toHaveLength(1);
    all.push(await rig.broker.allocate(BELA, bytes(HALF)));
    finish(rig, ...all);
  });

  it('is free again with what was released, and holds for requests that run together', async () => {
    const rig = makeRig({ policy: POLICY });
    const asked = Array.from({ length: 8 }, async () => rig.broker.allocate(OWNER, bytes(HALF)));
    const outcomes = await Promise.allSettled(asked);
    const granted = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
    expect(granted).toHaveLength(3);
    finish(rig, ...granted);
    const again = await rig.broker.allocate(OWNER, bytes(HALF));
    finish(rig, again);
  });

  it('is all of it for the administrator', async () => {
    const rig = makeRig({ policy: POLICY });
    const granted = await rig.broker.allocate({ ...OWNER, uid: 0 }, bytes(2n * HALF));
    finish(rig, granted);
  });
});

describe('extends', () => {
  it('grows the same allocation, with buffers of the same layout from the same pool', async () => {
    const rig = makeRig();
    const first = await rig.broker.allocate(OWNER, image({ total: 3, count: 1, label: 'x' }));
    const more = await rig.broker.allocate(OWNER, { extends: first.allocation.id, count: 2 });
    expect(more.allocation.id).toBe(first.allocation.id);
    expect(more.layout).toEqual({ ...first.layout, count: 2 });
    expect(more.allocation).toMatchObject({ label: 'x', layout: { count: 3 }, size: 12n * PAGE });
    expect(rig.broker.allocations()).toEqual([more.allocation]);
    expect(rig.dmaBuf.names.size).toBe(3);
    closeAll([...first.fds, ...more.fds]);
    rig.broker.release(OWNER, first.allocation.id, false);
    expect(rig.broker.totals().liveBuffers).toBe(0);
  });

  it('adds one buffer when the call does not say how many', async () => {
    const rig = makeRig();
    const first = await rig.broker.allocate(OWNER, bytes(1n));
    const more = await rig.broker.allocate(OWNER, { extends: first.allocation.id });
    expect(more.fds).toHaveLength(1);
    finish(rig, first, more);
  });

  it('is for the owner alone', async () => {
    const rig = makeRig();
    const first = await rig.broker.allocate(OWNER, bytes(1n));
    const { id } = first.allocation;
    for (const owner of [OTHER, { ...OWNER, bus: 'another-bus' }]) {
      expect(await refusal(rig.broker.allocate(owner, { extends: id }))).toMatchObject({
        code: 'UnknownAllocation',
      });
    }
    const never = await refusal(rig.broker.allocate(OWNER, { extends: 'never' }));
    expect(never.message).toBe((await refusal(rig.broker.allocate(OTHER, { extends: id }))).message);
    finish(rig, first);
  });

  it('is all or nothing', async () => {
    const rig = makeRig();
    const first = await rig.broker.allocate(OWNER, bytes(1n));
    rig.heap(SYSTEM.id).faults = [undefined, 'ENOMEM'];
    const error = await refusal(rig.broker.allocate(OWNER, { extends: first.allocation.id, count: 3 }));
    expect(error.code).toBe('PoolExhausted');
    expect(rig.broker.allocations()).toEqual([first.allocation]);
    finish(rig, first);
  });

  it('ends when the allocation is released before the memory is there', async () => {
    const rig = makeRig();
    const first = await rig.broker.allocate(OWNER, bytes(1n));
    closeAll(first.fds);
    rig.heap(SYSTEM.id).holdsBack = true;
    const more = rig.broker.allocate(OWNER, { extends: first.allocation.id, count: 2 });
    await vi.waitFor(() => {
      expect(rig.heap(SYSTEM.id).waiting).toHaveLength(2);
    });
    rig.broker.release(OWNER, first.allocation.id, false);
    rig.heap(SYSTEM.id).letGo();
    expect(await refusal(more)).toMatchObject({ code: 'UnknownAllocation' });
    finish(rig);
  });
});

describe('an owner who leaves', () => {
  it('leaves nothing behind, not even what was still being made', async () => {
    const rig = makeRig();
    const first = await rig.broker.allocate(OWNER, bytes(1n));
    closeAll(first.fds);
    rig.heap(SYSTEM.id).holdsBack = true;
    const requests = [
      rig.broker.allocate(OWNER, bytes(1n, { count: 2 })),
      rig.broker.allocate(OWNER, { extends: first.allocation.id }),
    ];
    await vi.waitFor(() => {
      expect(rig.heap(SYSTEM.id).waiting).toHaveLength(3);
    });
    rig.broker.ownerLeft(OWNER.bus, OWNER.name);
    rig.heap(SYSTEM.id).letGo();
    for (const request of requests) expect(await refusal(request)).toMatchObject({ code: 'Unavailable' });
    expect(rig.broker.allocations()).toEqual([]);
    finish(rig);
  });

  it('does not end what is being made for another', async () => {
    const rig = makeRig();
    const request = rig.broker.allocate(OTHER, bytes(1n));
    rig.broker.ownerLeft(OWNER.bus, OWNER.name);
    rig.broker.ownerLeft('another-bus', OTHER.name);
    finish(rig, await request);
  });
});
