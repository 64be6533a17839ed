import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, onTestFinished, test } from 'vitest';

import { ALLOCATION, BROKER, DEVICE, POOL, type InterfaceTable } from '../../../daemon/bus/contract.js';
import { INTROSPECTABLE, OBJECT_MANAGER, PEER, PROPERTIES } from '../../../daemon/bus/standard-interfaces.js';
import type { WireDict, WireValue } from '../../../dbus/connection/bus-types.js';
import { ROOT_PATH } from '../../../dbus/names.js';
import { closeAll } from '../../../dbus/owned-fd.js';
import { readIntrospection, type IntrospectedNode } from '../../contract/introspection-reader.js';
import { RawClient } from '../../harness/raw-client.js';
import { field, marshal } from '../../harness/raw-message.js';
import { refusalOf, serveRig, type Client, type ServeRig } from './serve-rig.js';
import { device, dict, t, v } from './wire.js';

const E = 'org.freedesktop.DBus.Error.';
const CPU_PATH = `${ROOT_PATH}/device/cpu`;

async function allocate(client: Client): Promise<string> {
  const body = [[device('cpu')], dict({ size: t(1n) })];
  const { body: results, fds } = await client.call('Allocate', 'a(sa{sv})a{sv}', body);
  closeAll(fds);
  return typeof results[0] === 'string' ? results[0] : '';
}

const poolPath = (rig: ServeRig): string => `${ROOT_PATH}/pool/${rig.broker.pools()[0]?.handle ?? ''}`;

describe('Properties', () => {
  const where = (path: string): { path: string; interface: string } => ({ path, interface: PROPERTIES.name });

  test('give every property of every object, each of the type that its table says', async () => {
    const rig = await serveRig();
    const client = await rig.client();
    const objects: readonly (readonly [string, InterfaceTable])[] = [
      [ROOT_PATH, BROKER],
      [CPU_PATH, DEVICE],
      [poolPath(rig), POOL],
      [await allocate(client), ALLOCATION],
    ];
    for (const [path, table] of objects) {
      const { body } = await client.call('GetAll', 's', [table.name], where(path));
      const all = body[0] as WireDict;
      expect(all.map(([name, value]) => [name, (value as { signature: string }).signature])).toEqual(
        Object.entries(table.properties).map(([name, { type }]) => [name, type]),
      );
      for (const [name, value] of all)
        expect((await client.call('Get', 'ss', [table.name, name], where(path))).body).toEqual([value]);
      expect((await client.call('GetAll', 's', [''], where(path))).body).toEqual(body);
    }
    expect(await client.get(ROOT_PATH, '', 'Version')).toBe('1.2.3');
    expect(await client.get(ROOT_PATH, BROKER.name, 'MaxFdsPerReply')).toBe(16);
    expect(await client.get(CPU_PATH, DEVICE.name, 'Node')).toBe('cpu');
  });

  test.each<[string, string, string, WireValue[]]>([
    ['PropertyReadOnly', 'Set', 'ssv', [BROKER.name, 'Version', v('s', 'x')]],
    ['PropertyReadOnly', 'Set', 'ssv', ['', 'LiveBytes', v('t', 0n)]],
    ['UnknownProperty', 'Set', 'ssv', [BROKER.name, 'Nothing', v('s', 'x')]],
    ['UnknownInterface', 'Set', 'ssv', ['org.dmabroker1.Device', 'Node', v('s', 'x')]],
    ['UnknownProperty', 'Get', 'ss', [BROKER.name, '__proto__']],
    ['UnknownProperty', 'Get', 'ss', [BROKER.name, 'toString']],
    ['UnknownProperty', 'Get', 'ss', [PEER.name, 'Version']],
    ['UnknownInterface', 'Get', 'ss', ['nonsense', 'Version']],
    ['UnknownInterface', 'GetAll', 's', ['org.dmabroker1.Pool']],
    ['InvalidArgs', 'Get', 's', ['']],
    ['InvalidArgs', 'Set', 'ssu', ['', 'Version', 1]],
  ])('%s for %s(%s)', async (name, member, signature, body) => {
    const client = await (await serveRig()).client();
    expect((await refusalOf(client.call(member, signature, body, where(ROOT_PATH)))).name).toBe(E + name);
    expect(await client.get(ROOT_PATH, BROKER.name, 'Version')).toBe('1.2.3');
  });

  test('of interfaces that have none are none', async () => {
    const client = await (await serveRig()).client();
    for (const { name } of [PEER, INTROSPECTABLE, PROPERTIES, OBJECT_MANAGER])
      expect((await client.call('GetAll', 's', [name], where(ROOT_PATH))).body).toEqual([[]]);
    const elsewhere = client.call('GetAll', 's', [OBJECT_MANAGER.name], where(CPU_PATH));
    expect((await refusalOf(elsewhere)).name).toBe(`${E}UnknownInterface`);
  });
});

describe('introspection', () => {
  const introspect = async (client: Client, path: string): Promise<IntrospectedNode> => {
    const { body } = await client.call('Introspect', '', [], { path, interface: INTROSPECTABLE.name });
    return readIntrospection(typeof body[0] === 'string' ? body[0] : '');
  };
  const every = [PROPERTIES, INTROSPECTABLE, PEER];

  test('shows the interfaces of every object as the tables have them', async () => {
    const rig = await serveRig();
    const client = await rig.client();
    const allocation = await allocate(client);
    const objects: readonly (readonly [string, readonly InterfaceTable[]])[] = [
      ['/', [INTROSPECTABLE, PEER]],
      ['/org', [INTROSPECTABLE, PEER]],
      [ROOT_PATH, [BROKER, OBJECT_MANAGER, ...every]],
      [`${ROOT_PATH}/device`, [INTROSPECTABLE, PEER]],
      [CPU_PATH, [DEVICE, ...every]],
      [poolPath(rig), [POOL, ...every]],
      [allocation, [ALLOCATION, ...every]],
    ];
    for (const [path, tables] of objects) {
      const { interfaces } = await introspect(client, path);
      expect(JSON.stringify(interfaces)).toBe(JSON.stringify(tables));
    }
  });

  test('leads from / to every object that the caller may see, and to no other', async () => {
    const rig = await serveRig();
    const [client, stranger] = [await rig.client(1000), await rig.client(1001)];
    const allocation = await allocate(client);
    const walk = async (who: Client, path = '/'): Promise<readonly string[]> => {
      const { children } = await introspect(who, path);
      const below = children.map(({ name }) => `${path === '/' ? '' : path}/${name}`);
      return [path, ...(await Promise.all(below.map((child) => walk(who, child)))).flat()];
    };
    const above = [
      '/',
      '/org',
      ROOT_PATH,
      ...['device', 'pool', 'allocation', 'party'].map((kind) => `${ROOT_PATH}/${kind}`),
    ];
    const managed = async (who: Client): Promise<readonly string[]> => {
      const { body } = await who.call('GetManagedObjects', '', [], { interface: OBJECT_MANAGER.name });
      return (body[0] as WireDict).map(([path]) => (typeof path === 'string' ? path : ''));
    };
    expect((await walk(client)).toSorted()).toEqual([...above, ...(await managed(client))].toSorted());
    expect(await walk(client)).toContain(allocation);
    expect((await walk(stranger)).toSorted()).toEqual([...above, ...(await managed(stranger))].toSorted());
    expect(await walk(stranger)).not.toContain(allocation);
  });
});

describe('Peer', () => {
  const root = (id?: string): string => {
    const directory = mkdtempSync(join(tmpdir(), 'dmabroker-root-'));
    onTestFinished(() => {
      rmSync(directory, { recursive: true });
    });
    mkdirSync(join(directory, 'etc'));
    if (id !== undefined) writeFileSync(join(directory, 'etc/machine-id'), id);
    return directory;
  };
  const machineId = (client: Client): Promise<{ readonly body: readonly WireValue[] }> =>
    client.call('GetMachineId', '', [], { path: '/anywhere', interface: PEER.name });

  test('answers at any path, with the id below the root', async () => {
    const id = '0123456789abcdef'.repeat(2);
    const client = await (await serveRig({ root: root(`${id}\n`) })).client();
    expect((await client.call('Ping', '', [], { path: '/anywhere', interface: PEER.name })).body).toEqual([]);
    expect((await machineId(client)).body).toEqual([id]);
  });

  test.each([undefined, '', 'uninitialized\n'])('has no id in %j', async (id) => {
    const client = await (await serveRig({ root: root(id) })).client();
    const refused = await refusalOf(machineId(client));
    expect(refused.name).toBe('org.dmabroker1.Error.Unavailable');
    expect(refused.message).not.toContain('/');
  });
});

test('a call that names no interface is for whichever has the member', async () => {
  const rig = await serveRig();
  const raw = await RawClient.connect(rig.address);
  onTestFinished(() => {
    raw.close();
  });
  const call = async (path: string, member: string): Promise<string | undefined> => {
    const fields = [field.path(path), field.member(member), field.destination(rig.bus.uniqueName)];
    const serial = await raw.sendMessage({ fields, body: marshal('', []) });
    const { header, fds } = await raw.answerTo(serial);
    closeAll(fds);
    return header.errorName;
  };
  expect(await call('/', 'Ping')).toBeUndefined();
  expect(await call(ROOT_PATH, 'GetManagedObjects')).toBeUndefined();
  expect(await call(CPU_PATH, 'GetManagedObjects')).toBe(`${E}UnknownMethod`);
  expect(await call('/nowhere', 'Ping')).toBe(`${E}UnknownObject`);
});
