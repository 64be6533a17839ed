import { fstatSync } from 'node:fs';
import { afterEach, describe, expect, it, vi } from 'vitest';

import type { Granted, NewRequest } from '../../../daemon/broker/broker-types.js';
import { CPU_DEVICE, type Device } from '../../../daemon/devices/inventory.js';
import { closeAll } from '../../../dbus/owned-fd.js';
import { device } from '../../tools/devices.js';
import { buffersOpen, PAGE } from '../fake-heap.js';
import { CMA, machine, SYSTEM } from '../machine.js';
import { entry, image, makeRig, OWNER, ROOMY } from './rig.js';

/** Two pages of luma and one of chroma, each in a buffer of its own (V4L2_PIX_FMT_NV12M). */
const apart = (more: Partial<NewRequest> = {}): NewRequest =>
  image({
    entries: [entry('cpu', { uses: ['read'], limits: { 'planes-apart': true } })],
    content: { format: 'NV12', width: 64, height: 128 },
    ...more,
  });

afterEach(async () => {
  await vi.waitFor(() => {
    expect(buffersOpen()).toEqual([]);
  });
});

const sizes = ({ fds }: Granted): readonly number[] => fds.map((fd) => fstatSync(fd.number).size);

describe('planes with descriptors of their own', () => {
  it('are granted one after the other, buffer by buffer', async () => {
    const rig = makeRig();
    const granted = await rig.broker.allocate(OWNER, apart({ count: 2 }));
    expect(granted.layout).toMatchObject({
      image: {
        planes: [
          { offset: 0n, pitch: 64 },
          { offset: 0n, pitch: 64 },
        ],
      },
      size: 3n * PAGE,
      fdSizes: [2n * PAGE, PAGE],
      count: 2,
    });
    expect(sizes(granted)).toEqual([2, 1, 2, 1].map((pages) => pages * Number(PAGE)));
    expect(rig.broker.totals()).toMatchObject({ liveBytes: 6n * PAGE, liveBuffers: 4 });
    const more = await rig.broker.allocate(OWNER, { extends: granted.allocation.id, count: 1 });
    expect(more.layout.count).toBe(1);
    expect(sizes(more)).toEqual([2 * Number(PAGE), Number(PAGE)]);
    expect(rig.broker.allocations()[0]).toMatchObject({ layout: { count: 3 }, size: 9n * PAGE });
    rig.broker.undo(more);
    closeAll([...granted.fds, ...more.fds]);
    rig.broker.ownerLeft(OWNER.bus, OWNER.name);
    rig.timers.pass(2000);
    expect(rig.broker.totals()).toMatchObject({ liveBytes: 0n, liveBuffers: 0 });
    rig.broker.close();
  });

  it('count as a buffer each', async () => {
    const rig = makeRig({ policy: `${ROOMY}[Quota]\nBuffers=3\n` });
    await expect(Promise.resolve(rig.broker.allocate(OWNER, apart({ count: 2 })))).rejects.toMatchObject({
      code: 'QuotaExceeded',
    });
    const explained = await rig.broker.explain(OWNER, apart({ count: 2 }));
    expect(explained).toMatchObject({ feasible: true, limits: [expect.stringContaining('Buffers')] });
    rig.broker.close();
  });

  it('leave room for fewer buffers in one call', async () => {
    const rig = makeRig();
    await expect(Promise.resolve(rig.broker.allocate(OWNER, apart({ count: 9 })))).rejects.toMatchObject({
      code: 'TooManyBuffers',
    });
    const granted = await rig.broker.allocate(OWNER, apart({ total: 9 }));
    expect(granted.fds).toHaveLength(16);
    const { id } = granted.allocation;
    await expect(
      Promise.resolve(rig.broker.allocate(OWNER, { extends: id, count: 9 })),
    ).rejects.toMatchObject({ code: 'TooManyBuffers' });
    closeAll(granted.fds);
    rig.broker.ownerLeft(OWNER.bus, OWNER.name);
    rig.timers.pass(2000);
    rig.broker.close();
  });
});

describe('a device that takes them in no other way', () => {
  const limit = { value: true, source: 'kernel:ENUM_FMT', uses: ['decode'], formats: ['NV12'] } as const;
  const decoder = (...limits: Device['limits']): Device =>
    device({
      node: '/dev/video0',
      subsystem: 'video4linux',
      driver: 'frobnicator',
      uses: ['decode'],
      formats: [{ format: 'NV12', modifiers: [0n], uses: ['decode'], source: 'kernel:ENUM_FMT' }],
      limits,
    });
  const fdSizes = async (device: Device, request: Partial<NewRequest> = {}) => {
    const { broker } = makeRig({ inventory: machine([SYSTEM, CMA], [CPU_DEVICE, device]) });
    const explained = await broker.explain(OWNER, {
      entries: [entry('/dev/video0', { uses: ['decode'] })],
      content: { format: 'NV12', width: 64, height: 128 },
      ...request,
    });
    broker.close();
    return explained.feasible
      ? (explained.layout?.fdSizes ?? 'one')
      : explained.conflicts.map(({ kind }) => kind);
  };
  const APART = [8192n, 4096n];

  it('has its planes apart unasked', async () => {
    expect(await fdSizes(decoder({ limit: 'planes-apart', ...limit }))).toEqual(APART);
  });

  it('does not with a device or a client that wants one descriptor', async () => {
    const planes = decoder({ limit: 'planes-apart', ...limit });
    const entries = [
      entry('/dev/video0', { uses: ['decode'] }),
      entry('cpu', { limits: { 'planes-contiguous': true } }),
    ];
    expect(await fdSizes(planes, { entries })).toEqual(['planes-apart', 'planes-contiguous']);
    const no = decoder(
      { limit: 'planes-apart', ...limit },
      { limit: 'planes-apart', ...limit, value: false },
    );
    expect(await fdSizes(no)).toEqual(['planes-apart', 'planes-apart']);
  });

  it('has one where it takes both, unless the client asks', async () => {
    const both = decoder({ limit: 'planes-contiguous', ...limit, orApart: true });
    expect(await fdSizes(both)).toBe('one');
    const entries = [entry('/dev/video0', { uses: ['decode'], limits: { 'planes-apart': true } })];
    expect(await fdSizes(both, { entries })).toEqual(APART);
    const together = decoder({ limit: 'planes-contiguous', ...limit });
    expect(await fdSizes(together, { entries })).toEqual(['planes-contiguous', 'planes-apart']);
  });

  it('changes nothing of an image of one plane', async () => {
    const entries = [entry('cpu', { limits: { 'planes-apart': true, 'planes-contiguous': true } })];
    const content = { format: 'XR24', width: 64, height: 64 };
    expect(await fdSizes(decoder(), { entries, content })).toBe('one');
  });
});
