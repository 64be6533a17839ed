import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { Broker } from '../../client/broker.js';
import type { Party } from '../../client/party.js';
import { connectBus } from '../../dbus/connection/bus.js';
import { ROOT_PATH } from '../../dbus/names.js';
import type { WireValue } from '../../dbus/connection/bus-types.js';
import { expectNoNewFds, openFds } from '../harness/leaks.js';
import { startBus, type PrivateBus } from '../harness/private-bus.js';
import { fds, granting, startPeer, type Answer, type Peer } from './peer.js';

/** A daemon whose answers bring more than the contract says, or come too late. */

const PARTY = `${ROOT_PATH}/party/one`;
const IMAGE = { width: 64, height: 64 };
const TOKENS = ['0'.repeat(32), '1'.repeat(32)];

let bus: PrivateBus;
let peer: Peer;
let broker: Broker;
let before: ReadonlyMap<number, string>;
beforeEach(async () => {
  bus = await startBus();
  peer = await startPeer(bus.address);
  broker = await Broker.open(await connectBus(bus.address), 5_000);
  for (const member of ['Constrain', 'Leave', 'Withdraw']) peer.answers.set(member, answering());
  peer.answers.set('Negotiate', answering('o', PARTY));
  before = openFds();
});
afterEach(async () => {
  await broker.close();
  await peer.leave();
  await bus.stop();
});

const answering =
  (signature = '', ...body: readonly WireValue[]): Answer =>
  (call) => {
    call.reply(signature, body);
  };
/** The same, with two descriptors behind what the contract has. */
const surplus =
  (signature = '', ...body: readonly WireValue[]): Answer =>
  (call) => {
    call.reply(`${signature}ah`, [...body, fds(2)]);
  };
const explanation: WireValue = [
  ['feasible', { signature: 'b', value: true }],
  ...['constraints', 'conflicts', 'waiting'].map((key) => [key, { signature: 'aa{sv}', value: [] }] as const),
  ...['limits', 'suggestions'].map((key) => [key, { signature: 'as', value: [] }] as const),
];

describe('surplus descriptors', () => {
  it.each<[string, Answer, (party: Party) => Promise<unknown>]>([
    ['Negotiate', surplus('o', PARTY), () => broker.negotiate(IMAGE)],
    ['Invite', surplus('as', TOKENS), (party) => party.inviteOneOf(2)],
    ['Withdraw', surplus(), (party) => party.withdraw('')],
    ['Constrain', surplus(), (party) => party.constrain([[]])],
    ['Explain', surplus('a{sv}', explanation), (party) => party.explain()],
    ['Leave', surplus(), (party) => party.leave()],
  ])('of %s are closed', async (member, answer, call) => {
    const party = await broker.negotiate(IMAGE);
    peer.answers.set(member, answer);
    await call(party);
    await expectNoNewFds(before);
  });

  it('of a release and of the older questions are closed', async () => {
    peer.answers.set('Allocate', granting());
    peer.answers.set('Release', surplus());
    const allocation = await broker.allocate([{ device: 'cpu' }], { size: 4096 });
    await allocation.release();
    peer.answers.set('Explain', surplus('a{sv}', explanation));
    await broker.explain([{ device: 'cpu' }], { size: 4096 });
    peer.answers.set('GetManagedObjects', surplus('a{oa{sa{sv}}}', []));
    await broker.allocations();
    await expectNoNewFds(before);
  });

  it('of an answer that comes too late are closed', async () => {
    await broker.close();
    broker = await Broker.open(await connectBus(bus.address), 300);
    before = openFds();
    const late = new Promise<() => void>((resolve) => {
      peer.answers.set('Negotiate', (call) => {
        resolve(() => {
          surplus('o', PARTY)(call);
        });
      });
    });
    await expect(broker.negotiate(IMAGE)).rejects.toMatchObject({ code: 'TimedOut' });
    (await late)();
    await expect.poll(() => peer.calls.at(-1)?.member).toBe('Leave');
    await expectNoNewFds(before);
  });
});

describe('tokens that the program does not get', () => {
  const withdrawn = (): readonly unknown[] =>
    peer.calls.filter(({ member }) => member === 'Withdraw').flatMap(({ body }) => body);

  it('are withdrawn where there are too many', async () => {
    const party = await broker.negotiate(IMAGE);
    peer.answers.set('Invite', answering('as', TOKENS));
    await expect(party.invite()).rejects.toMatchObject({ code: 'InvalidReply' });
    expect(withdrawn()).toEqual(TOKENS);
  });

  it('are withdrawn where they come too late', async () => {
    await broker.close();
    broker = await Broker.open(await connectBus(bus.address), 300);
    const party = await broker.negotiate(IMAGE);
    const late = new Promise<() => void>((resolve) => {
      peer.answers.set('Invite', (call) => {
        resolve(() => {
          answering('as', TOKENS)(call);
        });
      });
    });
    await expect(party.inviteOneOf(2)).rejects.toMatchObject({ code: 'TimedOut' });
    (await late)();
    await expect.poll(withdrawn).toEqual(TOKENS);
  });
});
