import { describe, expect, test } from 'vitest';

import { BusConnectError, connectBus, type BusOptions } from '../../../dbus/connection/bus.js';
import {
  BusCallError,
  BusClosedError,
  type Bus,
  type IncomingCall,
} from '../../../dbus/connection/bus-types.js';
import { closeAll } from '../../../dbus/owned-fd.js';
import { startPair } from '../../harness/bus-pair.js';
import { FakeServer, nextSerial } from '../../harness/fake-server.js';
import { gate } from '../../harness/gate.js';
import { expectNoNewFds, openFds } from '../../harness/leaks.js';
import { busKinds, startBus } from '../../harness/private-bus.js';
import {
  ERROR,
  field,
  marshal,
  rawMessage,
  REPLY,
  type RawField,
  type RawMessage,
} from '../../harness/raw-message.js';
import type { RawPeer } from '../../harness/raw-peer.js';
import { newMemfd } from '../../harness/sockets.js';
import { naming } from '../../harness/naming.js';

describe.each(busKinds())('%s', (kind) => {
  test('when the bus goes, every pending call ends, and everybody is told why', async () => {
    const before = openFds();
    {
      await using pair = await startPair(kind);
      const arrived = gate<IncomingCall>();
      pair.service.handleCalls(arrived.open);
      const calls = [pair.ask(), pair.ask({ timeout: Infinity })];
      const rejected = calls.map(async (call) => expect(call).rejects.toBeInstanceOf(BusClosedError));
      const call = await arrived.opened;
      await pair.bus.stop();
      await Promise.all(rejected);
      expect(await pair.client.closed).toBeInstanceOf(BusClosedError);
      expect(await pair.service.closed).toBeInstanceOf(BusClosedError);
      const undelivered = gate();
      call.reply('h', [newMemfd()], undelivered.open);
      await undelivered.opened;
      expect(pair.faults).toEqual([]);
    }
    await expectNoNewFds(before);
  });
});

interface Link {
  readonly bus: Bus;
  readonly server: RawPeer;
}

/** Connects to a server of ours and runs a test on both ends; nothing may be left open. */
async function linked(run: (link: Link) => Promise<void>, options?: BusOptions): Promise<void> {
  const before = openFds();
  {
    await using fake = new FakeServer();
    const [bus, server] = await Promise.all([connectBus(fake.address, options), fake.acceptGreeted()]);
    await run({ bus, server });
    await bus.close();
    server.close();
  }
  await expectNoNewFds(before);
}

const CALL = { destination: ':1.2', path: '/a', interface: 'a.b', member: 'M' } as const;

test.each<[string, Buffer, number]>([
  ['bytes that are no message', Buffer.alloc(16, 'x'), 0],
  ['a message that claims an fd and has none', rawMessage({ fields: [field.unixFds(1)] }), 0],
  ['an fd that no message claims', rawMessage({ type: REPLY, fields: [field.replySerial(1)] }), 1],
  [
    'a header whose fields cannot be told apart',
    rawMessage({ fields: [field.path('/a')], fieldsLength: 9 }),
    0,
  ],
])('%s: the connection is over, pending calls end, the process goes on', async (_, bytes, fds) => {
  await linked(async ({ bus, server }) => {
    const call = bus.call({ ...CALL, signature: 'h', body: [newMemfd()] });
    const rejected = expect(call).rejects.toBeInstanceOf(BusClosedError);
    const strays = Array.from({ length: fds }, () => newMemfd());
    await server.send(bytes, strays);
    closeAll(strays);
    await rejected;
    expect(await bus.closed).toMatchObject({
      reason: 'no-message',
      cause: { name: 'WireError' },
    });
  });
});

const answers: [string, Omit<RawMessage, 'fields'>, RawField[]][] = [
  ['a body that does not fit its signature', { body: Buffer.alloc(3) }, [field.signature('u')]],
  ['a body with no signature', { body: Buffer.alloc(4) }, []],
  ['an fd index without an fd', { body: marshal('h', [0]) }, [field.signature('h')]],
  ['a header field that is not valid', {}, [field.path('nonsense')]],
];
test.each(answers)('a reply with %s ends its own call, and only that', async (_, parts, fields) => {
  await linked(async ({ bus, server }) => {
    const calls = [bus.call(CALL), bus.call(CALL)] as const;
    const from = field.sender(':1.2');
    const first = field.replySerial(await nextSerial(server));
    await server.sendMessage({ type: REPLY, ...parts, fields: [from, first, ...fields] });
    await expect(calls[0]).rejects.toBeInstanceOf(BusCallError);
    const second = field.replySerial(await nextSerial(server));
    await server.sendMessage({ type: REPLY, fields: [from, second] });
    await expect(calls[1]).resolves.toEqual({ signature: '', body: [], fds: [] });
  });
});

test('an error whose text is none is an error all the same', async () => {
  await linked(async ({ bus, server }) => {
    const call = bus.call(CALL);
    const fields = [field.sender(':1.2'), field.errorName('a.b'), field.signature('u')];
    const serial = field.replySerial(await nextSerial(server));
    await server.sendMessage({ type: ERROR, fields: [...fields, serial], body: marshal('u', [1]) });
    await expect(call).rejects.toMatchObject({ errorName: 'a.b', message: '' });
  });
});

test('closing waits until what was queued has been sent', async () => {
  await linked(async ({ bus, server }) => {
    const text = 'x'.repeat(2 ** 21);
    bus.emit({ path: '/a', interface: 'a.b', member: 'S', signature: 's', body: [text] });
    const [message] = await Promise.all([server.read(), bus.close()]);
    expect(message?.body).toEqual([text]);
  });
});

test('closing does not wait for ever for a bus that does not read, and tells whose reply was lost', async () => {
  await linked(async ({ bus, server }) => {
    const undelivered = gate();
    const called = gate<IncomingCall>();
    bus.handleCalls(called.open);
    const fields = [field.path('/a'), field.member('M'), field.sender(':1.2')];
    await server.sendMessage({ fields });
    const call = await called.opened;
    bus.emit({ path: '/a', interface: 'a.b', member: 'S', signature: 's', body: ['x'.repeat(2 ** 21)] });
    call.reply('h', [newMemfd()], undelivered.open);
    await bus.close();
    await undelivered.opened;
    expect(await bus.closed).toBeUndefined();
  });
});

/** The error at the end of a chain of causes. */
const rootOf = (error: unknown): unknown =>
  error instanceof Error && error.cause !== undefined ? rootOf(error.cause) : error;

describe('connecting', () => {
  test('of several addresses, the first that works is taken', async () => {
    await using bus = await startBus();
    const connected = await connectBus(`unix:path=/nowhere/bus;unix:abstract=nobody-listens;${bus.address}`);
    expect(connected.uniqueName).toMatch(/^:/);
    await connected.close();
  });

  test('says what went wrong at each', async () => {
    const failure = connectBus('unix:path=/nowhere/bus;unix:abstract=nobody-listens');
    await expect(failure).rejects.toBeInstanceOf(BusConnectError);
    await expect(failure).rejects.toMatchObject({
      cause: {
        errors: [
          { call: 'connect', code: 'ENOENT' },
          { call: 'connect', code: 'ECONNREFUSED' },
        ],
      },
    });
    await expect(failure).rejects.toThrow(naming('ENOENT', 'ECONNREFUSED'));
  });

  test('a server with another id than the address names is not taken', async () => {
    await using bus = await startBus();
    const address = bus.address.replace(/guid=.*/, `guid=${'0'.repeat(32)}`);
    const error: unknown = await connectBus(address).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(BusConnectError);
    expect(rootOf(error)).toMatchObject({ reason: 'other-server' });
  });

  test.each<[string, string, (server: FakeServer) => Promise<RawPeer>]>([
    ['rejects us', 'rejected', async (server) => say(server, 'REJECTED EXTERNAL\r\n')],
    ['goes away', 'ended', async (server) => say(server, undefined)],
    ['is silent', 'timeout', async (server) => server.accept()],
    ['does not greet us', 'timeout', async (server) => server.acceptAuthenticated()],
    ['refuses to greet us', 'refused', refuseGreeting],
  ])('a server that %s', async (_, reason, behave) => {
    const before = openFds();
    {
      await using server = new FakeServer();
      const attempt = connectBus(server.address, { connectTimeout: 200 });
      const refused = attempt.catch((error: unknown) => error);
      const client = await behave(server);
      const error = await refused;
      expect(error).toBeInstanceOf(BusConnectError);
      expect(rootOf(error)).toMatchObject({ reason });
      client.close();
    }
    await expectNoNewFds(before);
  });

  test('a server that is too busy to accept is tried again', async () => {
    await using server = new FakeServer(0);
    // With a backlog of 0, one connection may wait; the others have to come again.
    const attempts = [1, 2, 3].map(async () => connectBus(server.address));
    const clients = [
      await server.acceptGreeted(),
      await server.acceptGreeted(),
      await server.acceptGreeted(),
    ];
    for (const bus of await Promise.all(attempts)) await bus.close();
    for (const client of clients) client.close();
  });
});

async function say(server: FakeServer, answer: string | undefined): Promise<RawPeer> {
  const client = await server.accept();
  await client.expectLine('\0AUTH');
  if (answer === undefined) client.close();
  else await client.send(answer);
  return client;
}

async function refuseGreeting(server: FakeServer): Promise<RawPeer> {
  const client = await server.acceptAuthenticated();
  const fields = [field.replySerial(await nextSerial(client)), field.errorName('a.b')];
  await client.sendMessage({ type: ERROR, fields });
  return client;
}
