import { describe, expect, test } from 'vitest';

import type { IncomingSignal, WireDict, WireValue } from '../../../dbus/connection/bus-types.js';
import { allocationPath, ROOT_PATH } from '../../../dbus/names.js';
import { closeAll } from '../../../dbus/owned-fd.js';
import { policyOf } from '../machine.js';
import { serveRig, until, type Client } from './serve-rig.js';
import { device, dict, t, u, v } from './wire.js';

const BROKER = 'org.dmabroker1.Broker';

async function allocate(client: Client): Promise<string> {
  const body = [[device('cpu')], dict({ size: t(1n) })];
  const { body: results, fds } = await client.call('Allocate', 'a(sa{sv})a{sv}', body);
  closeAll(fds);
  return typeof results[0] === 'string' ? results[0] : '';
}

const manage = async (client: Client): Promise<WireValue> =>
  (await client.call('GetManagedObjects', '', [], { interface: 'org.freedesktop.DBus.ObjectManager' }))
    .body[0] ?? [];

/** Signals about objects coming and going, as `InterfacesAdded PATH`. */
const comings = (signals: readonly IncomingSignal[]): readonly string[] =>
  signals
    .filter(({ member }) => member.startsWith('Interfaces'))
    .map(({ member, body: [path] }) => `${member} ${typeof path === 'string' ? path : ''}`);

/** Values that PropertiesChanged gave for one property, in order. */
const changes = (signals: readonly IncomingSignal[], path: string, property: string): readonly WireValue[] =>
  signals
    .filter((signal) => signal.member === 'PropertiesChanged' && signal.path === path)
    .flatMap(({ body }) => (body[1] as WireDict).filter(([key]) => key === property))
    .map(([, value]) => (typeof value === 'object' && 'value' in value ? value.value : value));

describe('an allocation', () => {
  test('is told to its owner, to those that watch and may see it, and to nobody else', async () => {
    const rig = await serveRig();
    const [owner, sibling, watching, stranger, administrator] = [
      await rig.client(1000),
      await rig.client(1000),
      await rig.client(1000),
      await rig.client(1001),
      await rig.client(0),
    ];
    for (const client of [watching, stranger, administrator]) await manage(client);
    const heard = {
      owner: await owner.signals(),
      sibling: await sibling.signals(),
      watching: await watching.signals(),
      stranger: await stranger.signals(),
      administrator: await administrator.signals(),
    };
    const path = await allocate(owner);
    const more = await owner.call('Allocate', 'a(sa{sv})a{sv}', [
      [],
      dict({ extends: v('o', path), count: u(1) }),
    ]);
    closeAll(more.fds);
    await until(() => {
      for (const signals of [heard.owner, heard.watching, heard.administrator])
        expect(changes(signals, path, 'Size')).toEqual([8192n]);
    });
    await owner.call('Release', 'o', [path]);
    const told = [`InterfacesAdded ${path}`, `InterfacesRemoved ${path}`];
    await until(() => {
      for (const signals of [heard.owner, heard.watching, heard.administrator])
        expect(comings(signals)).toEqual(told);
    });
    // The rest of the bus's queue to the others has gone through as well.
    await sibling.settled();
    await stranger.settled();
    for (const signals of [heard.sibling, heard.stranger]) {
      expect(comings(signals)).toEqual([]);
      expect(JSON.stringify(signals, (_, value: unknown) => String(value))).not.toContain(path);
    }
  });

  test('comes with all its properties', async () => {
    const rig = await serveRig();
    const owner = await rig.client();
    const heard = await owner.signals();
    const path = await allocate(owner);
    await until(() => {
      expect(comings(heard)).toHaveLength(1);
    });
    const [added] = heard;
    expect(added).toMatchObject({
      path: ROOT_PATH,
      interface: 'org.freedesktop.DBus.ObjectManager',
      signature: 'oa{sa{sv}}',
    });
    expect(await manage(owner)).toContainEqual(added?.body);
    expect(added?.body[0]).toBe(path);
  });

  test('is not announced to an owner that has left', async () => {
    const rig = await serveRig();
    const [owner, watching] = [await rig.client(), await rig.client()];
    await manage(watching);
    const heard = await watching.signals();
    const path = await allocate(owner);
    await until(() => {
      expect(comings(heard)).toHaveLength(1);
    });
    await owner.bus.close();
    await until(() => {
      expect(comings(heard)).toEqual([`InterfacesAdded ${path}`, `InterfacesRemoved ${path}`]);
    });
    expect(rig.lines).toEqual([]);
  });
});

const bigints = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value);

describe('an allocation that is released at once', () => {
  const quickly = async (watch: boolean): Promise<readonly string[]> => {
    const client = await (await serveRig()).client();
    const heard = await client.signals();
    const path = await allocate(client);
    // A listing that is not ready shows what there is once it is.
    if (watch) expect(JSON.stringify(await manage(client), bigints)).toContain(path);
    await client.call('Release', 'o', [path]);
    const last = await allocate(client);
    await until(() => {
      expect(comings(heard).at(-1)).toBe(`InterfacesAdded ${last}`);
    });
    return comings(heard).map((line) => line.replace(path, 'FIRST').replace(last, 'LAST'));
  };

  test('is told in whole or not at all', async () => {
    const told = await quickly(false);
    expect([
      ['InterfacesAdded LAST'],
      ['InterfacesAdded FIRST', 'InterfacesRemoved FIRST', 'InterfacesAdded LAST'],
    ]).toContainEqual(told);
  });

  test('is told in whole when somebody listed it', async () => {
    expect(await quickly(true)).toEqual([
      'InterfacesAdded FIRST',
      'InterfacesRemoved FIRST',
      'InterfacesAdded LAST',
    ]);
  });
});

describe('pools, devices and totals', () => {
  test('are told to everybody, many changes at a time', async () => {
    const rig = await serveRig();
    const [client, listener] = [await rig.client(), await rig.client(1001)];
    const heard = await listener.signals();
    const count = 50;
    await Promise.all(Array.from({ length: count }, () => allocate(client)));
    const live = BigInt(count) * 4096n;
    await until(() => {
      expect(changes(heard, ROOT_PATH, 'LiveBytes').at(-1)).toBe(live);
    });
    const told = changes(heard, ROOT_PATH, 'LiveBytes');
    expect(told.length).toBeLessThan(count / 2);
    expect(new Set(told).size).toBe(told.length);
    const pool = `${ROOT_PATH}/pool/${rig.broker.pools()[0]?.handle ?? ''}`;
    expect(changes(heard, pool, 'Live').at(-1)).toBe(live);
    expect(changes(heard, pool, 'Limit')).toEqual([]);
    expect(changes(heard, ROOT_PATH, 'Warnings')).toEqual([]);
    expect(await listener.get(ROOT_PATH, BROKER, 'LiveBytes')).toBe(live);
  });

  test('change with policy', async () => {
    const rig = await serveRig();
    const [administrator, listener] = [await rig.client(0), await rig.client(1001)];
    const heard = await listener.signals();
    const file = '/etc/dmabroker/dmabroker.conf.d/50-new.conf';
    rig.setPolicy(policyOf('[Pool scattered]\nLimit=8M\n[Heap reserved]\nUse=no\n', file));
    const gone = rig.broker.pools().find((pool) => pool.class === 'contiguous')?.handle ?? '';
    await administrator.call('Reload');
    await until(() => {
      expect(changes(heard, ROOT_PATH, 'PolicyFiles')).toEqual([[file]]);
    });
    expect(comings(heard)).toEqual([`InterfacesRemoved ${ROOT_PATH}/pool/${gone}`]);
    const pools = await listener.get(`${ROOT_PATH}/device/cpu`, 'org.dmabroker1.Device', 'Pools');
    expect(pools).not.toContain(gone);
    expect(changes(heard, `${ROOT_PATH}/device/cpu`, 'Pools')).toEqual([pools]);
    expect(changes(heard, `${ROOT_PATH}/device/cpu`, 'Node')).toEqual([]);
  });
});

test('objects of others are not there', async () => {
  const rig = await serveRig();
  const [owner, stranger, administrator] = [
    await rig.client(1000),
    await rig.client(1001),
    await rig.client(0),
  ];
  const path = await allocate(owner);
  const paths = async (client: Client): Promise<readonly WireValue[]> =>
    ((await manage(client)) as WireDict).map(([object]) => object);
  expect(await paths(owner)).toContain(path);
  expect(await paths(administrator)).toContain(path);
  expect(await paths(stranger)).not.toContain(path);
  expect(await paths(stranger)).toContain(`${ROOT_PATH}/device/cpu`);
  expect(rig.broker.allocations().map(({ id }) => allocationPath(id))).toEqual([path]);

  const missing = allocationPath('0');
  const properties = { interface: 'org.freedesktop.DBus.Properties' };
  const attempts: readonly ((at: string) => Promise<unknown>)[] = [
    (at) => stranger.call('GetAll', 's', ['org.dmabroker1.Allocation'], { path: at, ...properties }),
    (at) => stranger.call('Get', 'ss', ['org.dmabroker1.Allocation', 'Owner'], { path: at, ...properties }),
    (at) =>
      stranger.call('Set', 'ssv', ['org.dmabroker1.Allocation', 'Owner', u(1)], { path: at, ...properties }),
    (at) =>
      stranger.call('Introspect', '', [], { path: at, interface: 'org.freedesktop.DBus.Introspectable' }),
    (at) => stranger.call('Free', '', [], { path: at, interface: 'org.dmabroker1.Allocation' }),
    (at) => stranger.call('Release', 'o', [at]),
    (at) => stranger.call('Allocate', 'a(sa{sv})a{sv}', [[], dict({ extends: v('o', at) })]),
  ];
  for (const attempt of attempts) {
    const [hidden, absent] = [await settle(attempt(path)), await settle(attempt(missing))];
    expect(hidden).toEqual(absent);
    expect(hidden).toMatchObject({
      errorName: expect.stringMatching(/UnknownObject|UnknownAllocation/) as string,
    });
  }
});

const settle = async (call: Promise<unknown>): Promise<unknown> => call.catch((error: unknown) => error);
