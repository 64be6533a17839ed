import { closeSync } from 'node:fs';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { Broker } from '../../client/broker.js';
import { connectBus } from '../../dbus/connection/bus.js';
import { ROOT_PATH } from '../../dbus/names.js';
import { expectNoNewFds, openFds } from '../harness/leaks.js';
import { startBus, type PrivateBus } from '../harness/private-bus.js';
import {
  constraint,
  countOf,
  explaining,
  explainingApart,
  fds,
  granting,
  grantingApart,
  inTurn,
  layout,
  refusing,
  startPeer,
  type Peer,
} from './peer.js';

const CPU = [{ device: 'cpu' }];
const ONE = `${ROOT_PATH}/allocation/one`;
const TIMEOUT = 5_000;

let bus: PrivateBus;
let peer: Peer;
let broker: Broker;
let before: ReadonlyMap<number, string>;
beforeEach(async () => {
  bus = await startBus();
  peer = await startPeer(bus.address);
  broker = await Broker.open(await connectBus(bus.address), TIMEOUT);
  before = openFds();
});
afterEach(async () => {
  await broker.close();
  await peer.leave();
  await bus.stop();
  expect([...openFds().values()].filter((target) => target.includes('granted'))).toEqual([]);
});

const called = (member: string): readonly (readonly unknown[])[] =>
  peer.calls.filter((call) => call.member === member).map(({ body }) => body);

describe('allocate', () => {
  it('asks once for what fits into one reply', async () => {
    peer.answers.set('Allocate', granting());
    await using allocation = await broker.allocate(CPU, { size: 4096, count: 16 });
    expect(allocation.buffers).toHaveLength(16);
    expect(allocation.path).toBe(ONE);
    expect(called('Allocate').map(([, buffer]) => countOf(buffer as never))).toEqual([16]);
  });

  it('gives each buffer its descriptors, and asks for as many buffers as fit where planes are apart', async () => {
    peer.answers.set('Allocate', grantingApart()).set('Explain', explainingApart());
    const nv12 = { width: 64, height: 64, format: 'NV12' };
    await using allocation = await broker.allocate([{ device: 'cpu', planesApart: true }], {
      ...nv12,
      count: 11,
    });
    expect(allocation.buffers.map((buffer) => buffer.fds.length)).toEqual(Array(11).fill(2));
    expect(new Set(allocation.buffers.flatMap((buffer) => buffer.fds.map(({ number }) => number))).size).toBe(
      22,
    );
    expect(allocation.layout).toMatchObject({ count: 11, planeFds: [0, 1], fdSizes: [4096n, 2048n] });
    expect(called('Allocate').map(([, buffer]) => countOf(buffer as never))).toEqual([11, 8, 3]);
    await allocation.extend(9);
    expect(called('Allocate').map(([, buffer]) => countOf(buffer as never))).toEqual([11, 8, 3, 8, 1]);
  });

  it('refuses an answer with other descriptors than its layout has', async () => {
    peer.answers.set('Allocate', (call) => {
      call.reply('oa{sv}ah', [ONE, layout(2), fds(1)]);
    });
    await expect(broker.allocate(CPU, { size: 4096, count: 2 })).rejects.toMatchObject({
      code: 'InvalidReply',
    });
  });

  it('asks in several calls for more, and gives all of them back as one', async () => {
    peer.answers.set('Allocate', granting());
    const allocation = await broker.allocate(CPU, { size: 4096, count: 40 });
    expect(allocation.buffers).toHaveLength(40);
    expect(new Set(allocation.buffers.map(({ fd }) => fd.number)).size).toBe(40);
    expect(allocation.layout.count).toBe(40);
    const requests = called('Allocate');
    expect(requests.map(([, buffer]) => countOf(buffer as never))).toEqual([16, 16, 8]);
    expect(requests[0]?.[1]).toContainEqual(['total', { signature: 'u', value: 40 }]);
    expect(requests[2]).toEqual([
      [],
      [
        ['extends', { signature: 'o', value: ONE }],
        ['count', { signature: 'u', value: 8 }],
      ],
    ]);
    await allocation.release();
    expect(called('Release')).toEqual([[ONE]]);
    await expectNoNewFds(before);
  });

  it.each([1, 2])('gives all of it back when extension %d is refused', async (refused) => {
    const turns = Array.from({ length: refused }, () => granting());
    peer.answers.set('Allocate', inTurn(...turns, refusing('QuotaExceeded', 'too much')));
    await expect(broker.allocate(CPU, { size: 4096, count: 48 })).rejects.toMatchObject({
      code: 'QuotaExceeded',
      message: 'too much',
    });
    expect(called('Allocate')).toHaveLength(refused + 1);
    expect(called('Release')).toEqual([[ONE]]);
    await expectNoNewFds(before);
  });

  it('says a refusal though giving back fails as well', async () => {
    peer.answers.set('Allocate', inTurn(granting(), refusing('PoolExhausted', 'full')));
    peer.answers.set('Release', refusing('Internal', 'no'));
    await expect(broker.allocate(CPU, { size: 4096, count: 17 })).rejects.toMatchObject({
      code: 'PoolExhausted',
    });
  });

  it('undoes what was granted too late', async () => {
    await broker.close();
    broker = await Broker.open(await connectBus(bus.address), 500);
    const late = new Promise<() => void>((resolve) => {
      peer.answers.set('Allocate', (call) => {
        resolve(() => {
          granting()(call);
        });
      });
    });
    const released = new Promise<void>((resolve) => {
      peer.answers.set('Release', (call) => {
        call.reply();
        resolve();
      });
    });
    await expect(broker.allocate(CPU, { size: 4096, count: 2 })).rejects.toMatchObject({ code: 'TimedOut' });
    (await late)();
    await released;
    expect(called('Release')).toEqual([[ONE]]);
  });

  it.each([
    ['fewer fds than it says', (count: number) => [ONE, layout(count), []]],
    ['a layout that is none', (count: number) => [ONE, [], fds(count)]],
    ['a cpu-access that nobody knows', (count: number) => [ONE, layout(count).map(withSecret), fds(count)]],
  ])('gives back an answer with %s', async (_, body) => {
    peer.answers.set('Allocate', (call) => {
      call.reply('oa{sv}ah', body(2) as never);
    });
    await expect(broker.allocate(CPU, { size: 4096, count: 2 })).rejects.toMatchObject({
      code: 'InvalidReply',
    });
    expect(called('Release')).toEqual([[ONE]]);
    await expectNoNewFds(before);
  });

  it('keeps at most 48 fds on their way', async () => {
    let outstanding = 0;
    let most = 0;
    peer.answers.set('Allocate', (call) => {
      outstanding += countOf(call.body[1]);
      most = Math.max(most, outstanding);
      setTimeout(() => {
        outstanding -= countOf(call.body[1]);
        granting()(call);
      }, 1);
    });
    const requests = Array.from({ length: 12 }, () => broker.allocate(CPU, { size: 4096, count: 10 }));
    for (const allocation of await Promise.all(requests)) await allocation.release();
    expect(most).toBeGreaterThan(16);
    expect(most).toBeLessThanOrEqual(48);
  });

  it('counts for the devices that hold on to more buffers than fit into a call', async () => {
    peer.answers.set('Allocate', (call) => {
      const counted = (call.body[1] as unknown[]).some((entry) => (entry as unknown[])[0] === 'count');
      (counted ? granting() : refusing('TooManyBuffers', '22'))(call);
    });
    const held = [
      constraint('min-buffers', 'u', 12),
      constraint('min-buffers', 'u', 10),
      constraint('reach', 'as', ['a1']),
    ];
    peer.answers.set('Explain', explaining(held, []));
    await using allocation = await broker.allocate(CPU, { size: 4096 });
    expect(allocation.buffers).toHaveLength(22);
    expect((await broker.explain(CPU, { size: 4096, count: 22 })).layout?.count).toBe(22);
  });

  it('does not count for somebody who counted', async () => {
    peer.answers.set('Allocate', refusing('TooManyBuffers', 'no'));
    await expect(broker.allocate(CPU, { size: 4096, count: 2 })).rejects.toMatchObject({
      code: 'TooManyBuffers',
    });
    expect(called('Explain')).toEqual([]);
  });
});

const withSecret = ([key, value]: readonly unknown[]): unknown =>
  key === 'cpu-access' ? [key, { signature: 's', value: 'secret' }] : [key, value];

describe('a conflict', () => {
  it('has the clashing constraints as data, which came with the error', async () => {
    const clash = [constraint('pitch-max', 'u', 100), constraint('pitch-multiple', 'u', 256)];
    peer.answers.set('Allocate', (call) => {
      const details = { signature: 'aa{sv}', values: [clash] };
      call.error('org.dmabroker1.Error.Conflict', 'pitch-multiple 7 and …', details);
    });
    const error: unknown = await broker.allocate(CPU, { size: 1 }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      name: 'DmabrokerError',
      code: 'Conflict',
      message: 'pitch-multiple 7 and …',
      cause: { errorName: 'org.dmabroker1.Error.Conflict' },
      conflict: [
        { entry: 0, device: 'cpu', constraint: 'pitch-max', value: 100, source: 'client' },
        { entry: 0, device: 'cpu', constraint: 'pitch-multiple', value: 256, source: 'client' },
      ],
    });
    expect(called('Explain')).toEqual([]);
  });

  it('is still one without data', async () => {
    peer.answers.set('Allocate', refusing('Conflict', 'pitch-multiple 7 and …'));
    await expect(broker.allocate(CPU, { size: 1 })).rejects.toMatchObject({ code: 'Conflict', conflict: [] });
  });

  it('is an InvalidReply when its data are not of the contract', async () => {
    peer.answers.set('Allocate', (call) => {
      call.error('org.dmabroker1.Error.Conflict', 'no', { signature: 'u', values: [1] });
    });
    await expect(broker.allocate(CPU, { size: 1 })).rejects.toMatchObject({ code: 'InvalidReply' });
  });
});

describe('release', () => {
  it('closes what was not given away, before it tells the broker', async () => {
    peer.answers.set('Allocate', granting());
    const allocation = await broker.allocate(CPU, { size: 4096, count: 2 });
    const kept = allocation.buffers[0]?.fd.release();
    let openAtRelease = -1;
    peer.answers.set('Release', (call) => {
      openAtRelease = [...openFds().values()].filter((target) => target.includes('granted')).length;
      call.reply();
    });
    await Promise.all([allocation.release(), allocation.release()]);
    await allocation.release();
    expect(allocation.state).toBe('released');
    expect(openAtRelease).toBe(1);
    closeSync(Number(kept));
  });

  it('is no failure when the broker has ended the allocation itself', async () => {
    peer.answers.set('Allocate', granting());
    peer.answers.set('Release', refusing('UnknownAllocation', 'gone'));
    const allocation = await broker.allocate(CPU, { size: 4096 });
    await allocation.release();
    expect(allocation.state).toBe('released');
  });

  it('can be tried again when the broker could not be told', async () => {
    peer.answers.set('Allocate', granting());
    peer.answers.set(
      'Release',
      inTurn(refusing('Internal', 'oh'), (call) => {
        call.reply();
      }),
    );
    const allocation = await broker.allocate(CPU, { size: 4096 });
    await expect(allocation.release()).rejects.toMatchObject({ code: 'Internal' });
    await allocation.release();
    expect(called('Release')).toHaveLength(2);
  });
});

describe('extend', () => {
  it('adds buffers of the same layout', async () => {
    peer.answers.set('Allocate', granting());
    await using allocation = await broker.allocate(CPU, { size: 4096, count: 2, total: 20 });
    const added = await allocation.extend(18);
    expect(added).toHaveLength(18);
    expect(allocation.buffers).toHaveLength(20);
    expect(allocation.layout.count).toBe(20);
    expect(allocation.buffers.slice(2)).toEqual(added);
  });

  it('adds none when it fails, and leaves the allocation as it is', async () => {
    peer.answers.set('Allocate', inTurn(granting(), granting(), refusing('QuotaExceeded', 'no')));
    await using allocation = await broker.allocate(CPU, { size: 4096, count: 2, total: 40 });
    await expect(allocation.extend(20)).rejects.toMatchObject({ code: 'QuotaExceeded' });
    expect(allocation.buffers).toHaveLength(2);
    expect(allocation.state).toBe('held');
    expect(called('Release')).toEqual([]);
  });

  it('closes what arrives after the release', async () => {
    peer.answers.set('Allocate', granting());
    const allocation = await broker.allocate(CPU, { size: 4096, total: 2 });
    const added = expect(allocation.extend(1)).rejects.toMatchObject({ code: 'UnknownAllocation' });
    await allocation.release();
    await added;
    await expectNoNewFds(before);
  });
});
