import { describe, expect, test } from 'vitest';

import { Visibility } from '../../../daemon/bus/visibility.js';
import type { IncomingCall, WireDict } from '../../../dbus/connection/bus-types.js';
import { allocationPath } from '../../../dbus/names.js';
import { closeAll } from '../../../dbus/owned-fd.js';
import { bytes, OWNER } from '../broker/rig.js';
import { polkit, says } from './fake-polkit.js';
import { refusalOf, serveRig, until, type Client, type ServeRig } from './serve-rig.js';
import { device, dict, t, text } from './wire.js';

const UNKNOWN = 'org.dmabroker1.Error.UnknownAllocation';
const UNKNOWN_OBJECT = 'org.freedesktop.DBus.Error.UnknownObject';
const MANAGER = 'org.freedesktop.DBus.ObjectManager';

async function allocate(client: Client): Promise<string> {
  const { body, fds } = await client.call('Allocate', 'a(sa{sv})a{sv}', [
    [device('cpu')],
    dict({ size: t(1n) }),
  ]);
  closeAll(fds);
  return text(body[0]);
}

/** Paths of the allocations that GetManagedObjects shows. */
async function listed(client: Client, allowInteraction = false): Promise<readonly string[]> {
  const { body } = await client.call('GetManagedObjects', '', [], { interface: MANAGER, allowInteraction });
  return (body[0] as WireDict).map(([path]) => text(path)).filter((path) => path.includes('/allocation/'));
}

/** A user's allocation, and somebody else. */
async function stage(authorized: boolean | ((call: IncomingCall) => void)): Promise<{
  rig: ServeRig;
  asked: readonly IncomingCall[];
  owner: Client;
  path: string;
  other: Client;
}> {
  const rig = await serveRig({ busKind: 'system' });
  const asked = await polkit(rig, typeof authorized === 'boolean' ? says(authorized) : authorized);
  const owner = await rig.client(1000);
  return { rig, asked, owner, path: await allocate(owner), other: await rig.client(1001) };
}

const actionsOf = (asked: readonly IncomingCall[]): readonly unknown[] =>
  asked.map(({ body: [, action, , flags] }) => [action, flags]);

describe("others' allocations", () => {
  test('are seen, heard of and read by whom polkit lets, from when it asks until it leaves', async () => {
    const { rig, asked, owner, path, other } = await stage(true);
    expect(await listed(other)).toEqual([]);
    expect(asked).toEqual([]);
    expect((await refusalOf(other.get(path, 'org.dmabroker1.Allocation', 'User'))).name).toBe(UNKNOWN_OBJECT);
    expect(await listed(other, true)).toEqual([path]);
    expect(actionsOf(asked)).toEqual([['org.dmabroker1.see-others', 1]]);
    expect(await other.get(path, 'org.dmabroker1.Allocation', 'User')).toBe(1000);
    expect(await listed(other)).toEqual([path]);
    expect(await listed(other, true)).toEqual([path]);
    expect(asked).toHaveLength(1);

    const heard = await other.signals();
    const second = await allocate(owner);
    await until(() => {
      expect(heard.filter(({ member }) => member === 'InterfacesAdded').map(({ body }) => body[0])).toEqual([
        second,
      ]);
    });
    // Another connection of the same user was let nothing.
    expect(await listed(await rig.client(1001))).toEqual([]);
  });

  test('are not there for whom polkit does not let, who sees its own and may ask again', async () => {
    const { asked, path, other } = await stage(false);
    const own = await allocate(other);
    expect(await listed(other, true)).toEqual([own]);
    expect(await listed(other, true)).toEqual([own]);
    expect(asked).toHaveLength(2);
    expect((await refusalOf(other.get(path, 'org.dmabroker1.Allocation', 'User'))).name).toBe(UNKNOWN_OBJECT);
  });

  test('keep nobody waiting who did not ask for them', async () => {
    const { rig, asked, owner, path, other } = await stage(() => undefined);
    const waiting = listed(other, true);
    await until(() => {
      expect(asked).toHaveLength(1);
    });
    expect(await listed(other)).toEqual([]);
    expect(await listed(owner)).toEqual([path]);
    await rig.server.close();
    expect(await waiting).toEqual([]);
  });

  test('are let to a connection as long as it is there, and to one that left never', async () => {
    const sight = new Visibility({ allows: async () => Promise.resolve(true) });
    const owner = { bus: 'a-bus', name: ':1.7', uid: 1000, groups: [], unit: '' };
    await sight.ask(owner, () => false);
    expect(sight.of(owner)).toMatchObject({ uid: 1000, seesOthers: false });
    await sight.ask(owner, (name) => name === ':1.7');
    expect(sight.of(owner)).toMatchObject({ uid: 1000, seesOthers: true });
    expect(sight.of({ ...owner, name: ':1.8' }).seesOthers).toBe(false);
    sight.forget(':1.7');
    expect(sight.of(owner).seesOthers).toBe(false);
  });
});

describe('Release of what another connection owns', () => {
  test('ends it when polkit allows it, and asks a person only when the caller says so', async () => {
    const { rig, asked, owner, path, other } = await stage(true);
    await other.call('Release', 'o', [path]);
    expect(rig.broker.totals().liveBuffers).toBe(0);
    const second = await allocate(owner);
    await other.call('Release', 'o', [second], { allowInteraction: true });
    expect(actionsOf(asked)).toEqual([
      ['org.dmabroker1.release-others', 0],
      ['org.dmabroker1.release-others', 1],
    ]);
    expect(rig.broker.totals().liveBuffers).toBe(0);
  });

  test('is as if it were not there when polkit does not', async () => {
    const { rig, asked, path, other } = await stage(false);
    const refused = await refusalOf(other.call('Release', 'o', [path]));
    expect(refused.name).toBe(UNKNOWN);
    expect(asked).toHaveLength(1);
    // Nobody is asked about what is not there, and the answer is the same.
    expect(await refusalOf(other.call('Release', 'o', [`${path}0`]))).toEqual(refused);
    expect(asked).toHaveLength(1);
    expect(rig.broker.totals().liveBuffers).toBe(1);
  });

  test('asks polkit neither for the owner nor for root', async () => {
    const { rig, asked, owner, path } = await stage(false);
    await owner.call('Release', 'o', [path]);
    await (await rig.client(0)).call('Release', 'o', [await allocate(owner)]);
    expect(asked).toEqual([]);
    expect(rig.broker.totals().liveBuffers).toBe(0);
  });
});

test('who has the name of an owner on a bus that is gone gets nothing of what that had', async () => {
  const rig = await serveRig({ busKind: 'system' });
  const client = await rig.client(1001);
  const heard = await client.signals();
  await client.settled();
  const before = { ...OWNER, bus: 'the bus before', name: client.bus.uniqueName, uid: 1000 };
  const granted = await rig.broker.allocate(before, bytes(1n));
  const path = allocationPath(granted.allocation.id);
  expect((await refusalOf(client.call('Release', 'o', [path]))).name).toBe(UNKNOWN);
  const own = await allocate(client);
  await until(() => {
    expect(heard.map(({ body }) => body[0])).toContain(own);
  });
  expect(heard.map(({ body }) => body[0])).not.toContain(path);
  closeAll(granted.fds);
});
