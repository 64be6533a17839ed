import { afterEach, beforeEach, expect, it } from 'vitest';

import { Broker } from '../../client/broker.js';
import { connectBus } from '../../dbus/connection/bus.js';
import type { IncomingCall, WireDict } from '../../dbus/connection/bus-types.js';
import { PARTY_INTERFACE, ROOT_PATH } from '../../dbus/names.js';
import { expectNoNewFds, openFds } from '../harness/leaks.js';
import { startBus, type PrivateBus } from '../harness/private-bus.js';
import { fds, layout, startPeer, type Peer } from './peer.js';

/** What comes at a bad moment: signals with an answer, the end of the daemon, a party that leaves. */

const IMAGE = { width: 64, height: 64 };

let bus: PrivateBus;
let peer: Peer;
let broker: Broker;
beforeEach(async () => {
  bus = await startBus();
  let parties = 0;
  peer = await startPeer(bus.address, {
    Negotiate: (call) => {
      call.reply('o', [`${ROOT_PATH}/party/p${(parties += 1)}`]);
    },
    Leave: (call) => {
      call.reply();
    },
  });
  broker = await Broker.open(await connectBus(bus.address), 5_000);
});
afterEach(async () => {
  await broker.close();
  await peer.leave();
  await bus.stop();
});

const u = (value: number) => ({ signature: 'u', value });
const s = (value: string) => ({ signature: 's', value });

const tell = (path: string, properties: WireDict): void => {
  peer.bus.emit({
    path,
    interface: 'org.freedesktop.DBus.Properties',
    member: 'PropertiesChanged',
    signature: 'sa{sv}as',
    body: [PARTY_INTERFACE, properties, []],
  });
};

it('hears what the daemon says right behind the answer', async () => {
  const path = `${ROOT_PATH}/party/one`;
  peer.answers.set('Negotiate', (call) => {
    call.reply('o', [path]);
    tell(path, [['Generation', u(1)]]);
    tell(path, [['State', s('ready')]]);
  });
  const party = await broker.negotiate(IMAGE);
  await expect.poll(() => [party.state, party.generation]).toEqual(['ready', 1]);
});

it('keeps what comes with a state that it does not know', async () => {
  const party = await broker.negotiate(IMAGE);
  tell(party.path, [
    ['State', s('asleep')],
    ['Held', u(3)],
  ]);
  await expect.poll(() => party.held).toBe(3);
  expect(party.state).toBe('asked');
});

it('leaves without an error when the daemon is gone', async () => {
  const party = await broker.negotiate(IMAGE);
  await peer.leave();
  await party.leave();
  expect(party.state).toBe('over');
});

it('leaves without an error when the daemon goes before it answers', async () => {
  const party = await broker.negotiate(IMAGE);
  peer.answers.set('Leave', () => {
    void peer.leave();
  });
  await party.leave();
  expect(party.state).toBe('over');
});

it('has not left where the bus refused the call', async () => {
  const party = await broker.negotiate(IMAGE);
  peer.answers.set('Leave', (call) => {
    call.error('org.freedesktop.DBus.Error.LimitsExceeded', 'full');
  });
  await expect(party.leave()).rejects.toMatchObject({ code: 'Unavailable' });
  expect(party.state).toBe('asked');
});

it('ends what waits for buffers when it leaves, and closes what comes later', async () => {
  const before = openFds();
  const party = await broker.negotiate(IMAGE);
  const asked = new Promise<IncomingCall>((resolve) => {
    peer.answers.set('Buffers', resolve);
  });
  const waiting = party.buffers();
  const rejected = expect(waiting).rejects.toMatchObject({ code: 'Unavailable' });
  const call = await asked;
  await party.leave();
  await rejected;
  call.reply('a{sv}ah', [[...layout(1), ['generation', u(1)]], fds(1)]);
  await expectNoNewFds(before);
});

it('counts the buffers of a party as lost when the daemon says that it is over', async () => {
  const party = await broker.negotiate(IMAGE);
  peer.answers.set('Buffers', (call) => {
    call.reply('a{sv}ah', [[...layout(1), ['generation', u(1)]], fds(1)]);
  });
  await using buffers = await party.buffers();
  tell(party.path, [['State', s('over')]]);
  await expect.poll(() => buffers.state).toBe('lost');
});

it('tells the other parties when a listener of one throws', async () => {
  const [first, second] = [await broker.negotiate(IMAGE), await broker.negotiate(IMAGE)];
  const thrown = new Promise<unknown>((resolve) => {
    const others = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    process.once('uncaughtException', (error) => {
      for (const other of others) process.on('uncaughtException', other);
      resolve(error);
    });
  });
  const mistake = new Error('a mistake of the program');
  first.on('changed', () => {
    throw mistake;
  });
  await broker.close();
  expect(await thrown).toBe(mistake);
  await expect.poll(() => [first.state, second.state]).toEqual(['over', 'over']);
});
