import { once } from 'node:events';

import { afterEach, beforeEach, expect, it } from 'vitest';

import { Broker } from '../../client/broker.js';
import { connectBus } from '../../dbus/connection/bus.js';
import type { WireDict, WireValue } from '../../dbus/connection/bus-types.js';
import { PARTY_INTERFACE, ROOT_PATH } from '../../dbus/names.js';
import { expectNoNewFds, openFds } from '../harness/leaks.js';
import { startBus, type PrivateBus } from '../harness/private-bus.js';
import {
  constraint,
  fds,
  granting,
  inTurn,
  layout,
  refusing,
  startPeer,
  type Answer,
  type Peer,
} from './peer.js';

/** Answers of a daemon that are not what the contract says, or that come at a bad moment. */

const PARTY = `${ROOT_PATH}/party/one`;
const IMAGE = { width: 64, height: 64 };

let bus: PrivateBus;
let peer: Peer;
let broker: Broker;
let before: ReadonlyMap<number, string>;
beforeEach(async () => {
  bus = await startBus();
  peer = await startPeer(bus.address, {
    Negotiate: named(PARTY),
    Leave: inTurn((call) => {
      call.reply();
    }),
  });
  broker = await Broker.open(await connectBus(bus.address), 5_000);
  before = openFds();
});
afterEach(async () => {
  await broker.close();
  await peer.leave();
  await bus.stop();
});

const u = (value: number): WireValue => ({ signature: 'u', value });
const of = (count: number, generation: number): WireDict => [...layout(count), ['generation', u(generation)]];

function named(path: string): Answer {
  return (call) => {
    call.reply('o', [path]);
  };
}

/** So many buffers from the first that is asked for, of a set of so many. */
function giving(count: number, generation: number, sent: (first: number) => number): Answer {
  return (call) => {
    const first = Number(call.body[0]);
    call.reply('a{sv}ah', [of(count, generation), fds(first > count ? 0 : sent(first))]);
  };
}
/** As the contract has it. */
const honest = (count: number, generation = 1): Answer =>
  giving(count, generation, (first) => Math.min(count - first, 16));

const asked = (): readonly unknown[] =>
  peer.calls.filter(({ member }) => member === 'Buffers').map(({ body }) => body[0]);

it('asks for the buffers in as many calls as the bus needs', async () => {
  peer.answers.set('Buffers', honest(40));
  const party = await broker.negotiate(IMAGE);
  const all = await party.buffers();
  expect(all.buffers).toHaveLength(40);
  expect(asked()).toEqual([0, 16, 32]);
  await all.release();
  await expectNoNewFds(before);
});

it('leaves room for the descriptors of other calls while parties wait', async () => {
  const answers: (() => void)[] = [];
  const all = new Promise<void>((resolve) => {
    peer.answers.set('Buffers', (call) => {
      answers.push(() => {
        honest(20)(call);
      });
      if (answers.length === 3) resolve();
    });
  });
  peer.answers.set('Allocate', granting());
  const parties = [
    await broker.negotiate(IMAGE),
    await broker.negotiate(IMAGE),
    await broker.negotiate(IMAGE),
  ];
  const waiting = parties.map((party) => party.buffers());
  await all;
  // The third asks for no descriptors before it is its turn.
  expect(asked()).toEqual([0, 0, 0xffff_ffff]);
  await (await broker.allocate([{ device: 'cpu' }], { size: 4096, count: 16 })).release();
  peer.answers.set('Buffers', honest(20));
  for (const answer of answers) answer();
  for (const buffers of await Promise.all(waiting)) {
    expect(buffers.buffers).toHaveLength(20);
    await buffers.release();
  }
  await expectNoNewFds(before);
});

it('waits for the rest of the buffers as long as for the first, and leaves room for others', async () => {
  await broker.close();
  broker = await Broker.open(await connectBus(bus.address), 300);
  before = openFds();
  const rest: (() => void)[] = [];
  peer.answers.set('Buffers', (call) => {
    const answer = (): void => {
      honest(32)(call);
    };
    if (call.body[0] === 16) rest.push(answer);
    else answer();
  });
  const parties = [
    await broker.negotiate(IMAGE),
    await broker.negotiate(IMAGE),
    await broker.negotiate(IMAGE),
  ];
  const waiting = parties.map((party) => party.buffers());
  await expect.poll(() => rest.length).toBeGreaterThanOrEqual(2);
  peer.answers.set('Allocate', granting());
  const others = Array.from({ length: 3 }, () =>
    broker.allocate([{ device: 'cpu' }], { size: 4096, count: 16 }),
  );
  for (const allocation of await Promise.all(others)) await allocation.release();
  // The time for an ordinary call passes.
  peer.answers.set('GetAll', () => undefined);
  await expect(broker.status()).rejects.toMatchObject({ code: 'TimedOut' });
  peer.answers.set('Buffers', honest(32));
  for (const answer of rest) answer();
  for (const buffers of await Promise.all(waiting)) {
    expect(buffers.buffers).toHaveLength(32);
    await buffers.release();
  }
  await expectNoNewFds(before);
});

it('begins again when other buffers took the place of these', async () => {
  const turns = [honest(20), honest(4, 2), honest(4, 2)];
  peer.answers.set('Buffers', inTurn(...turns));
  const party = await broker.negotiate(IMAGE);
  const all = await party.buffers();
  expect([all.generation, all.buffers.length]).toEqual([2, 4]);
  await all.release();
  await expectNoNewFds(before);
});

it('gives up where they are replaced again and again', async () => {
  let generation = 0;
  peer.answers.set('Buffers', (call) => {
    honest(20, (generation += 1))(call);
  });
  const party = await broker.negotiate(IMAGE);
  await expect(party.buffers()).rejects.toMatchObject({ code: 'Unavailable' });
  await expectNoNewFds(before);
});

it.each<[string, Answer]>([
  [
    'no generation',
    (call) => {
      call.reply('a{sv}ah', [layout(1), fds(0)]);
    },
  ],
  ['more buffers than a collection has', honest(65)],
  ['no buffers at all', giving(0, 1, () => 0)],
  ['none where there are some', giving(2, 1, () => 0)],
  ['more than are left', giving(2, 1, () => 3)],
  [
    'descriptors that it does not name',
    (call) => {
      call.reply('a{sv}ahah', [of(1, 1), [], fds(1)]);
    },
  ],
])('refuses %s', async (_what, answer) => {
  peer.answers.set('Buffers', answer);
  const party = await broker.negotiate(IMAGE);
  await expect(party.buffers()).rejects.toMatchObject({ code: 'InvalidReply' });
  await expectNoNewFds(before);
});

it.each<[string, Answer]>([
  [
    'something else than a path',
    (call) => {
      call.reply('u', [7]);
    },
  ],
  [
    'no path of an object',
    (call) => {
      call.reply('s', ['/no//path']);
    },
  ],
])('refuses %s for a party', async (_what, answer) => {
  peer.answers.set('Negotiate', answer);
  await expect(broker.negotiate(IMAGE)).rejects.toMatchObject({ code: 'InvalidReply' });
});

it('refuses other tokens than were asked for', async () => {
  peer.answers.set('Invite', (call) => {
    call.reply('as', [['a', 'b']]);
  });
  const party = await broker.negotiate(IMAGE);
  await expect(party.invite()).rejects.toMatchObject({ code: 'InvalidReply' });
});

it("tells another user's constraint by its party and its name", async () => {
  peer.answers.set('Buffers', refusing('Conflict', 'no'));
  const own: WireDict = [
    ...constraint('pitch-max', 'u', 100),
    ['party', { signature: 'i', value: 0 }],
    ['alternative', u(1)],
  ];
  const hidden: WireDict = [
    ['party', { signature: 'i', value: 2 }],
    ['constraint', { signature: 's', value: 'pitch-min' }],
  ];
  peer.answers.set('Explain', (call) => {
    const lists = { constraints: [], conflicts: [own, hidden], waiting: [] };
    call.reply('a{sv}', [
      [
        ['feasible', { signature: 'b', value: false }],
        ...Object.entries(lists).map(([key, value]) => [key, { signature: 'aa{sv}', value }] as const),
        ...['limits', 'suggestions'].map((key) => [key, { signature: 'as', value: [] }] as const),
      ],
    ]);
  });
  const party = await broker.negotiate(IMAGE);
  await expect(party.buffers()).rejects.toMatchObject({
    code: 'Conflict',
    conflict: [
      { constraint: 'pitch-max', value: 100, party: 0, alternative: 1, source: 'client' },
      { constraint: 'pitch-min', value: '', party: 2, source: '', device: '', entry: -1 },
    ],
  });
  peer.answers.set('Explain', refusing('Internal', 'no'));
  await expect(party.buffers()).rejects.toMatchObject({ code: 'Conflict', message: 'no', conflict: [] });
});

it('leaves the party whose answer comes too late', async () => {
  await broker.close();
  broker = await Broker.open(await connectBus(bus.address), 300);
  const left = new Promise<string>((resolve) => {
    peer.answers.set('Leave', (call) => {
      resolve(call.path);
      call.reply();
    });
  });
  const late = new Promise<() => void>((resolve) => {
    peer.answers.set('Negotiate', (call) => {
      resolve(() => {
        named(PARTY)(call);
      });
    });
  });
  await expect(broker.negotiate(IMAGE)).rejects.toMatchObject({ code: 'TimedOut' });
  (await late)();
  expect(await left).toBe(PARTY);
});

it('leaves out signals that it cannot read', async () => {
  const party = await broker.negotiate(IMAGE);
  const tell = (properties: WireDict): void => {
    peer.bus.emit({
      path: PARTY,
      interface: 'org.freedesktop.DBus.Properties',
      member: 'PropertiesChanged',
      signature: 'sa{sv}as',
      body: [PARTY_INTERFACE, properties, []],
    });
  };
  const changed = once(party, 'changed');
  tell([['State', { signature: 's', value: 'asleep' }]]);
  tell([['Generation', { signature: 's', value: 'two' }]]);
  tell([
    ['State', { signature: 's', value: 'ready' }],
    ['Generation', u(3)],
    ['Held', u(2)],
  ]);
  expect(await changed).toEqual(['ready']);
  expect([party.state, party.generation, party.held]).toEqual(['ready', 3, 2]);
});
