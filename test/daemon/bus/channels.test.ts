import { fileURLToPath } from 'node:url';

import { expect, onTestFinished, test } from 'vitest';

import { BROKER_INTERFACE, ROOT_PATH } from '../../../dbus/names.js';
import { connectChannel, type ChannelClient } from '../../../dbus/connection/channel-client.js';
import type { Reply, WireValue } from '../../../dbus/connection/bus-types.js';
import { closeAll, type OwnedFd } from '../../../dbus/owned-fd.js';
import { expectNoNewFds, openFds } from '../../harness/leaks.js';
import { CALL, field, marshal, rawMessage } from '../../harness/raw-message.js';
import { RawPeer } from '../../harness/raw-peer.js';
import { compileFile } from '../../bench/compile.mjs';
import { run, TemporaryDirectory } from '../../integration/rig.js';
import { readIntrospection } from '../../contract/introspection-reader.js';
import { refusalOf, serveRig, until, type Client } from './serve-rig.js';
import { device, dict, t, text, u, v, type Keys } from './wire.js';

const PAGE_OF_MEMORY: Keys = { size: t(1n) };
const PROPERTIES = 'org.freedesktop.DBus.Properties';

async function openSocket(client: Client): Promise<OwnedFd> {
  const { fds } = await client.call('OpenChannel', 'a{sv}', [[]]);
  const [fd] = fds;
  if (fd === undefined) throw new Error('no socket');
  return fd;
}

async function open(client: Client): Promise<ChannelClient> {
  const channel = await connectChannel(await openSocket(client), new AbortController().signal, {
    callTimeout: 20_000,
    onFault: (error) => {
      throw error;
    },
  });
  onTestFinished(() => channel.close());
  return channel;
}

const call = async (
  channel: ChannelClient,
  member: string,
  signature = '',
  body: readonly WireValue[] = [],
  where: { readonly path?: string; readonly interface?: string; readonly allowInteraction?: boolean } = {},
): Promise<Reply> =>
  channel.call({ path: ROOT_PATH, interface: BROKER_INTERFACE, member, signature, body, ...where });

const allocate = async (channel: ChannelClient, keys: Keys = PAGE_OF_MEMORY): Promise<Reply> =>
  call(channel, 'Allocate', 'a(sa{sv})a{sv}', [[device('cpu')], dict(keys)]);

async function get(channel: ChannelClient, property: string): Promise<WireValue | undefined> {
  const { body } = await call(channel, 'Get', 'ss', [BROKER_INTERFACE, property], { interface: PROPERTIES });
  const [value] = body;
  return typeof value === 'object' && 'value' in value ? value.value : undefined;
}

test('what is allocated over a channel is its owner’s on the bus, and the other way round', async () => {
  const rig = await serveRig();
  const client = await rig.client();
  const channel = await open(client);
  const { body, fds } = await allocate(channel);
  expect(fds).toHaveLength(1);
  closeAll(fds);
  const path = text(body[0]);
  expect(await client.get(path, 'org.dmabroker1.Allocation', 'Owner')).toBe(client.bus.uniqueName);
  await client.call('Release', 'o', [path]);
  expect(rig.broker.allocations()).toEqual([]);

  const onBus = await client.call('Allocate', 'a(sa{sv})a{sv}', [[device('cpu')], dict(PAGE_OF_MEMORY)]);
  closeAll(onBus.fds);
  await call(channel, 'Release', 'o', [text(onBus.body[0])]);
  expect(rig.broker.allocations()).toEqual([]);
});

test('gives 64 buffers in one reply and says so, where the bus gives 16 of the same request', async () => {
  const rig = await serveRig();
  const client = await rig.client();
  const channel = await open(client);
  const keys = { ...PAGE_OF_MEMORY, count: u(64) };
  const { fds } = await allocate(channel, keys);
  expect(fds).toHaveLength(64);
  closeAll(fds);
  const onBus = client.call('Allocate', 'a(sa{sv})a{sv}', [[device('cpu')], dict(keys)]);
  expect((await refusalOf(onBus)).name).toBe('org.dmabroker1.Error.TooManyBuffers');
  const tooMany = allocate(channel, { ...PAGE_OF_MEMORY, count: u(65) });
  expect((await refusalOf(tooMany)).name).toBe('org.dmabroker1.Error.TooManyBuffers');
  expect(await get(channel, 'MaxFdsPerReply')).toBe(64);
  expect(await client.get(ROOT_PATH, BROKER_INTERFACE, 'MaxFdsPerReply')).toBe(16);
});

test('what devices hold at once counts against the 64 of a channel', async () => {
  const rig = await serveRig();
  const channel = await open(await rig.client());
  const { fds } = await call(channel, 'Allocate', 'a(sa{sv})a{sv}', [
    [device('cpu', { 'min-buffers': u(40) })],
    dict(PAGE_OF_MEMORY),
  ]);
  expect(fds).toHaveLength(40);
  closeAll(fds);
});

test.each([
  ['Reload', '', [], 'org.dmabroker1.Error.AccessDenied'],
  ['SetPoolLimit', 'st', ['a', 1n], 'org.dmabroker1.Error.AccessDenied'],
  ['Reveal', 's', ['a'], 'org.dmabroker1.Error.AccessDenied'],
  ['OpenChannel', 'a{sv}', [[]], 'org.freedesktop.DBus.Error.NotSupported'],
  ['Nothing', '', [], 'org.freedesktop.DBus.Error.UnknownMethod'],
] as const)(
  '%s over a channel is refused, for an administrator as well',
  async (member, signature, body, name) => {
    const rig = await serveRig();
    for (const uid of [0, 1000]) {
      const channel = await open(await rig.client(uid));
      expect((await refusalOf(call(channel, member, signature, body))).name).toBe(name);
    }
  },
);

test('another connection’s allocation is not released over a channel, whoever asks', async () => {
  const rig = await serveRig();
  const owner = await rig.client();
  const { body, fds } = await owner.call('Allocate', 'a(sa{sv})a{sv}', [
    [device('cpu')],
    dict(PAGE_OF_MEMORY),
  ]);
  closeAll(fds);
  for (const [uid, code] of [
    [0, 'AccessDenied'],
    [1000, 'UnknownAllocation'],
    [2000, 'UnknownAllocation'],
  ] as const) {
    const channel = await open(await rig.client(uid));
    const refused = refusalOf(call(channel, 'Release', 'o', [text(body[0])], { allowInteraction: true }));
    expect((await refused).name).toBe(`org.dmabroker1.Error.${code}`);
  }
  expect(rig.broker.allocations()).toHaveLength(1);
});

test('introspection over a channel shows what works there, and nothing else', async () => {
  const rig = await serveRig();
  const channel = await open(await rig.client());
  const { body } = await call(channel, 'Introspect', '', [], {
    interface: 'org.freedesktop.DBus.Introspectable',
  });
  const { interfaces } = readIntrospection(text(body[0]));
  const methods = interfaces.flatMap((table) => Object.keys(table.methods));
  expect(methods.toSorted()).toEqual(
    [
      ...['Allocate', 'Explain', 'Release', 'Negotiate', 'Join'],
      ...['GetManagedObjects', 'Get', 'GetAll', 'Set'],
      ...['Introspect', 'Ping', 'GetMachineId'],
    ].toSorted(),
  );
  expect(interfaces.flatMap((table) => Object.keys(table.signals))).toEqual([]);
});

test('signals come over the bus, also after a list over the channel', async () => {
  const rig = await serveRig();
  const client = await rig.client();
  const signals = await client.signals();
  const channel = await open(client);
  const { body } = await call(channel, 'GetManagedObjects', '', [], {
    interface: 'org.freedesktop.DBus.ObjectManager',
  });
  expect(body).toHaveLength(1);
  closeAll((await allocate(channel)).fds);
  await until(() => {
    expect(signals.map(({ member }) => member)).toContain('InterfacesAdded');
  });
});

test('the channel ends with its owner, and what it allocated is released', async () => {
  const rig = await serveRig();
  const client = await rig.client();
  const channel = await open(client);
  closeAll((await allocate(channel)).fds);
  await client.bus.close();
  expect((await channel.closed)?.reason).toBe('ended');
  await until(() => {
    expect(rig.broker.allocations()).toEqual([]);
  });
});

test('the end of a channel releases nothing', async () => {
  const rig = await serveRig();
  const client = await rig.client();
  const channel = await open(client);
  closeAll((await allocate(channel)).fds);
  await channel.close();
  await until(async () => {
    expect(await client.get(ROOT_PATH, BROKER_INTERFACE, 'Channels')).toBe(0);
  });
  expect(rig.broker.allocations()).toHaveLength(1);
});

test('an option that is not known is refused, and none is opened', async () => {
  const rig = await serveRig();
  const client = await rig.client();
  const refused = refusalOf(client.call('OpenChannel', 'a{sv}', [dict({ fast: v('b', true) })]));
  expect((await refused).name).toBe('org.dmabroker1.Error.InvalidRequest');
  expect(await client.get(ROOT_PATH, BROKER_INTERFACE, 'Channels')).toBe(0);
});

test('a connection and a user have so many channels as policy says, and one more when one has ended', async () => {
  const rig = await serveRig({ policy: '[Quota]\nChannels=3\nClientChannels=2\n' });
  const [first, second, other] = [await rig.client(), await rig.client(), await rig.client(2000)];
  const channels = [await open(first), await open(first)];
  const message = async (client: Client): Promise<string> =>
    (await refusalOf(client.call('OpenChannel', 'a{sv}', [[]]))).message;
  expect(await message(first)).toMatch(/^ClientChannels /);
  await open(second);
  expect(await message(second)).toMatch(/^Channels /);
  await open(other);
  expect(await first.get(ROOT_PATH, BROKER_INTERFACE, 'Channels')).toBe(4);
  await channels[0]?.close();
  await until(async () => {
    await open(second);
  });
});

test('a client that does not authenticate loses the channel, and that is logged', async () => {
  const rig = await serveRig();
  const client = await rig.client();
  await using peer = new RawPeer(await openSocket(client));
  await peer.send('GET / HTTP/1.1\r\n');
  expect(await peer.read()).toBeUndefined();
  await until(() => {
    expect(rig.lines).toContainEqual(
      expect.objectContaining({
        event: 'channel-closed',
        client: client.bus.uniqueName,
        reason: 'no-message',
      }),
    );
  });
});

test('a channel that ends at any byte costs the service no descriptor, and its owner nothing', async () => {
  const rig = await serveRig({ policy: '[Quota]\nRate=1000000\n' });
  const client = await rig.client();
  const { body, fds } = await client.call('Allocate', 'a(sa{sv})a{sv}', [
    [device('cpu')],
    dict(PAGE_OF_MEMORY),
  ]);
  closeAll(fds);
  const before = openFds();
  const opening = Buffer.from('\0AUTH EXTERNAL\r\nDATA\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n');
  const message = rawMessage({
    type: CALL,
    fields: [
      field.path(ROOT_PATH),
      field.interface(BROKER_INTERFACE),
      field.member('Allocate'),
      field.signature('a(sa{sv})a{sv}'),
    ],
    body: marshal('a(sa{sv})a{sv}', [[['cpu', []]], [['size', ['t', 1n]]]]),
  });
  const all = Buffer.concat([opening, message]);
  for (let length = 0; length <= all.length; length += 1) {
    const peer = new RawPeer(await openSocket(client));
    await peer.send(all.subarray(0, length));
    peer.close();
  }
  await until(async () => {
    expect(await client.get(ROOT_PATH, BROKER_INTERFACE, 'Channels')).toBe(0);
  });
  await expectNoNewFds(before);
  expect(await client.get(text(body[0]), 'org.dmabroker1.Allocation', 'State')).toBe('held');
});

test('sd-bus is a client of a channel, with no more than its documented functions', async () => {
  using directory = new TemporaryDirectory();
  const source = fileURLToPath(new URL('channel-client.c', import.meta.url));
  const program = compileFile(source, directory.path);
  const rig = await serveRig();
  const { code, stdout, stderr } = await run(program, [rig.address, rig.bus.uniqueName]);
  expect(stderr).toBe('');
  expect(stdout.split('\n')).toEqual(['64', '64', 'org.dmabroker1.Error.AccessDenied', '']);
  expect(code).toBe(0);
  // Its descriptors may have been seen after the release; what nothing holds ends a little later.
  expect(rig.broker.allocations().filter(({ state }) => state === 'held')).toEqual([]);
});
