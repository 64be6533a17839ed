import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fstatSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import type { Broker } from '../../client/broker.js';
import { connect, deviceFromDevT, DmabrokerError } from '../../client/index.js';
import type { Watch } from '../../client/watch.js';
import { startDaemon, type RunningDaemon } from '../harness/daemon.js';
import { expectNoNewFds, openFds } from '../harness/leaks.js';
import { startBus, type PrivateBus } from '../harness/private-bus.js';

const profile = (name: string): string[] => [
  '--profile',
  fileURLToPath(new URL(`../fixtures/profiles/${name}.json`, import.meta.url)),
];
const SCREEN = { width: 1920, height: 1080, format: 'XR24' };
const CPU = { device: 'cpu', uses: ['read', 'write'] } as const;

let bus: PrivateBus;
let daemon: RunningDaemon;
let broker: Broker;
beforeEach(async () => {
  bus = await startBus();
  daemon = await startDaemon({ bus, args: profile('intel-laptop') });
  broker = await connect({ bus: bus.address });
});
/** Descriptors of this process, once the channel is open that the first allocation brings and that stays. */
async function openFdsWithChannel(): Promise<ReadonlyMap<number, string>> {
  await (await broker.allocate([CPU], { size: 1 })).release();
  await vi.waitFor(async () => {
    expect(await broker.status()).toMatchObject({ channels: 1, liveBuffers: 0n });
  });
  return openFds();
}

afterEach(async () => {
  await broker.close();
  await daemon.stop();
  await bus.stop();
});

/** Waits until the watch shows what is asked for. */
async function until(watch: Watch, holds: () => boolean): Promise<void> {
  while (!holds()) {
    const done = new AbortController();
    const any = (['added', 'changed', 'removed'] as const).map((event) =>
      once(watch, event, { signal: done.signal }),
    );
    await Promise.race(any);
    done.abort();
    await Promise.allSettled(any);
  }
}

describe('allocate', () => {
  it('gives any number of buffers of one layout, and takes them back', async () => {
    const before = await openFdsWithChannel();
    const allocation = await broker.allocate([CPU, { device: '/dev/dri/card0', uses: ['scanout'] }], {
      ...SCREEN,
      count: 40,
      label: 'forty',
    });
    expect(allocation.layout).toMatchObject({ ...SCREEN, modifier: 0n, count: 40, size: 8_294_400n });
    expect(allocation.buffers).toHaveLength(40);
    const [counted] = await broker.allocations();
    expect(counted).toMatchObject({
      path: allocation.path,
      label: 'forty',
      state: 'held',
      size: 40n * 8_294_400n,
    });
    expect(counted?.layout.count).toBe(40);
    await allocation.release();
    expect(await broker.allocations()).toEqual([]);
    expect(await broker.status()).toMatchObject({ liveBuffers: 0n, liveBytes: 0n });
    // Its channel was opened meanwhile.
    await broker.close();
    await expectNoNewFds(before);
  });

  it('gives each plane a descriptor of its own, in as many calls as it takes', async () => {
    const before = await openFdsWithChannel();
    const nv12 = { width: 64, height: 128, format: 'NV12' };
    const devices = [{ ...CPU, planesApart: true, minBuffers: 11 }];
    expect((await broker.explain(devices, nv12)).layout).toMatchObject({ count: 11, planeFds: [0, 1] });
    const allocation = await broker.allocate(devices, nv12);
    expect(allocation.layout).toMatchObject({ count: 11, size: 12_288n, fdSizes: [8192n, 4096n] });
    expect(allocation.buffers.map(({ fds }) => fds.length)).toEqual(Array(11).fill(2));
    for (const { fds } of allocation.buffers)
      expect(fds.map(({ number }) => fstatSync(number).size)).toEqual([8192, 4096]);
    const [buffer] = allocation.buffers;
    const zeroed = await buffer?.map({ read: true, write: true }, (luma, ...chroma) =>
      [luma, ...chroma].map((bytes) => bytes.every((byte) => byte === 0) && bytes.fill(1).length),
    );
    expect(zeroed).toEqual([8192, 4096]);
    expect((await broker.allocations()).map(({ layout }) => layout.count)).toEqual([11]);
    expect(await broker.status()).toMatchObject({ liveBuffers: 22n, liveBytes: 11n * 12_288n });
    await allocation.release();
    expect(await broker.status()).toMatchObject({ liveBuffers: 0n, liveBytes: 0n });
    await expectNoNewFds(before);
  });

  it('gives all or nothing where a pool gets full in the middle', async () => {
    const before = await openFdsWithChannel();
    const size = 1 << 20;
    for (const { handle } of await broker.pools()) await broker.setPoolLimit(handle, 20 * size);
    const pools = (await broker.pools()).length;
    await expect(broker.allocate([CPU], { size, count: 20 * pools + 1 })).rejects.toMatchObject({
      code: expect.stringMatching(/^(PoolExhausted|QuotaExceeded)$/) as unknown,
    });
    expect(await broker.allocations()).toEqual([]);
    expect(await broker.status()).toMatchObject({ liveBuffers: 0n, liveBytes: 0n });
    // Its channel was opened meanwhile.
    await broker.close();
    await expectNoNewFds(before);
  });

  it('grows an allocation', async () => {
    await using allocation = await broker.allocate([CPU], { size: 4096, count: 1, total: 20 });
    await allocation.extend(19);
    expect((await broker.allocations()).map(({ layout }) => layout.count)).toEqual([20]);
  });

  it('counts the buffers that devices hold on to', async () => {
    const devices = [
      { ...CPU, minBuffers: 12 },
      { ...CPU, minBuffers: 10 },
    ];
    await using allocation = await broker.allocate(devices, { size: 4096 });
    expect(allocation.buffers).toHaveLength(22);
    expect((await broker.explain(devices, { size: 4096 })).layout).toMatchObject({ count: 22 });
  });

  it('has the clashing constraints of a conflict as data', async () => {
    const devices = [
      { ...CPU, pitchMax: 7680 },
      { device: '/dev/dri/card0', uses: ['scanout'], pitchMultiple: 1000 },
    ] as const;
    const error: unknown = await broker.allocate(devices, SCREEN).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(DmabrokerError);
    expect(error).toMatchObject({
      code: 'Conflict',
      conflict: [
        { entry: 0, device: 'cpu', constraint: 'pitch-max', value: 7680, source: 'client' },
        { entry: 1, device: '/dev/dri/card0', constraint: 'pitch-multiple', value: 1000, source: 'client' },
      ],
    });
    const { feasible, conflicts, suggestions } = await broker.explain(devices, SCREEN);
    expect({ feasible, conflicts }).toEqual({
      feasible: false,
      conflicts: (error as DmabrokerError).conflict,
    });
    expect(suggestions).toHaveLength(2);
  });

  it.each([
    ['UnknownDevice', [{ device: '/dev/dri/card77' }], SCREEN],
    ['UnsupportedFormat', [CPU], { ...SCREEN, format: 'ZZZZ' }],
    ['InvalidRequest', [], SCREEN],
    ['InvalidRequest', [{ ...CPU, pitchMultiple: 0 }], SCREEN],
    ['QuotaExceeded', [CPU], { size: 1n << 50n }],
  ])('tells %s', async (code, devices, buffer) => {
    await expect(broker.allocate(devices, buffer)).rejects.toMatchObject({ name: 'DmabrokerError', code });
  });
});

it('maps one buffer in two processes', async () => {
  await using allocation = await broker.allocate([CPU], { size: 100_000 });
  const [buffer] = allocation.buffers;
  const window = new URL('../../dist/client/memory/window.js', import.meta.url).href;
  const script = `
    const { Window } = await import(${JSON.stringify(window)});
    const shared = new Window(100_000);
    const bytes = await shared.open(3);
    if (bytes[99_999] !== 41) process.exit(1);
    bytes[99_999] = 42;
    await shared.close();`;
  const seen = await buffer?.map({ read: true, write: true }, async (bytes) => {
    bytes[99_999] = 41;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
      stdio: ['ignore', 'inherit', 'inherit', buffer.fd.number],
    });
    const [code] = (await once(child, 'close')) as readonly unknown[];
    return [code, bytes[99_999]];
  });
  expect(seen).toEqual([0, 42]);
});

describe('what there is', () => {
  it('is listed', async () => {
    const devices = await broker.devices();
    const card = devices.find(({ node }) => node === '/dev/dri/card0');
    expect(card).toMatchObject({ kind: 'device', number: '226:0', driver: 'i915', subsystem: 'drm' });
    expect(card?.formats.find(({ format }) => format === 'XR24')?.modifiers).toContain(0n);
    const handles = (await broker.pools()).map(({ handle }) => handle);
    expect(handles).toEqual(expect.arrayContaining([...(card?.pools ?? [])]));
    expect(deviceFromDevT(0xe200)).toBe(card?.number);
    await using allocation = await broker.allocate([{ device: card?.path ?? '', uses: ['render'] }], SCREEN);
    expect(allocation.state).toBe('held');
  });

  it('is followed', async () => {
    await using watch = await broker.watch();
    const shown = (kind: string) => [...watch.objects.values()].filter((object) => object.kind === kind);
    expect(shown('device')).toEqual(await broker.devices());
    expect(shown('pool')).toEqual(await broker.pools());
    const allocation = await broker.allocate([CPU], { size: 4096, count: 20 });
    await until(watch, () =>
      shown('allocation').some((each) => each.kind === 'allocation' && each.layout.count === 20),
    );
    await allocation.release();
    await until(watch, () => shown('allocation').length === 0);
    await until(watch, () =>
      shown('broker').some((each) => each.kind === 'broker' && each.liveBuffers === 0n),
    );
  });

  it('is administered', async () => {
    const [pool] = await broker.pools();
    const handle = pool?.handle ?? '';
    await broker.setPoolLimit(handle, 1n << 20n);
    expect((await broker.pools()).find((each) => each.handle === handle)?.limit).toBe(1n << 20n);
    await broker.reload();
    expect((await broker.pools()).find((each) => each.handle === handle)?.limit).toBe(pool?.limit);
    expect(await broker.reveal(handle)).toHaveProperty('heap');
    await expect(broker.reveal('nothing')).rejects.toMatchObject({ code: 'InvalidRequest' });
    await expect(broker.release('/org/dmabroker1/allocation/none')).rejects.toMatchObject({
      code: 'UnknownAllocation',
    });
  });
});

describe('when the daemon restarts', () => {
  it('calls wait for it, buffers live, and what it does not know is lost', async () => {
    await using watch = await broker.watch();
    const allocation = await broker.allocate([CPU], { size: 4096 });
    await allocation.buffers[0]?.map({ write: true }, (bytes) => bytes.fill(5));
    const lost = once(broker, 'lost');
    await daemon.stop();
    expect(watch.objects.size).toBe(0);
    const waiting = broker.allocate([CPU], SCREEN);
    daemon = await startDaemon({ bus, args: profile('steam-deck') });
    await (await waiting).release();
    expect(await lost).toEqual([allocation]);
    expect(allocation.state).toBe('lost');
    expect(await allocation.buffers[0]?.map({ read: true }, (bytes) => bytes[4095])).toBe(5);
    await allocation.release();
    const drivers = () =>
      [...watch.objects.values()].flatMap((each) => (each.kind === 'device' ? each.driver : []));
    await until(watch, () => drivers().includes('amdgpu'));
    expect(drivers()).not.toContain('i915');
  });

  it('the end of a connection ends what it allocated', async () => {
    const other = await connect({ bus: bus.address });
    await using watch = await broker.watch();
    const allocation = await other.allocate([CPU], { size: 4096 });
    await until(watch, () => watch.objects.has(allocation.path));
    await other.close();
    await allocation.release();
    await until(watch, () => !watch.objects.has(allocation.path));
  });
});
