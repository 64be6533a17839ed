import { once } from 'node:events';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { Broker } from '../../client/broker.js';
import { connectBus } from '../../dbus/connection/bus.js';
import type { Bus } from '../../dbus/connection/bus-types.js';
import { BUS_NAME, ROOT_PATH } from '../../dbus/names.js';
import { busKinds, startBus, type PrivateBus } from '../harness/private-bus.js';
import { allocation, explaining, granting, objects, startPeer, type Answer, type Peer } from './peer.js';

const CPU = [{ device: 'cpu' }];
/** Outlives a test: what waits for it to pass makes the test fail. */
const TIMEOUT = 600_000;
const SHORT = 500;

describe.each(busKinds())('on %s', (kind) => {
  let bus: PrivateBus;
  let peer: Peer;
  let broker: Broker;
  beforeEach(async () => {
    bus = await startBus({ kind });
    peer = await startPeer(bus.address);
    broker = await open();
  });
  afterEach(async () => {
    await broker.close();
    await peer.leave();
    await bus.stop();
  });

  const open = async (timeout = TIMEOUT): Promise<Broker> =>
    Broker.open(await connectBus(bus.address), timeout);

  /** A call that has reached the daemon, which does not answer. */
  function unanswered(member: string): Promise<void> {
    return new Promise((resolve) => {
      peer.answers.set(member, () => {
        resolve();
      });
    });
  }

  it('fails at once where there was never a daemon', async () => {
    await peer.leave();
    const connection = await connectBus(bus.address);
    await expect(Broker.open(connection, TIMEOUT)).rejects.toMatchObject({ code: 'NoDaemon' });
    expect(await connection.closed).toBeUndefined();
  });

  it('waits with a call for the next daemon', async () => {
    await peer.leave();
    const status = broker.status();
    peer = await startPeer(bus.address);
    expect(await status).toMatchObject({ version: '1.2.3' });
  });

  it('waits with an allocation for the next daemon, too', async () => {
    await peer.leave();
    const granted = broker.allocate(CPU, { size: 4096 });
    peer = await startPeer(bus.address);
    peer.answers.set('Allocate', granting());
    await (await granted).release();
  });

  it('gives up when nobody comes in time', async () => {
    const impatient = await open(SHORT);
    await peer.leave();
    await expect(impatient.status()).rejects.toMatchObject({ code: 'NoDaemon' });
    await impatient.close();
  });

  it('asks the next daemon what harms nobody when asked twice', async () => {
    const asked = unanswered('Explain');
    const explanation = broker.explain(CPU, { size: 4096 });
    await asked;
    await peer.leave();
    peer = await startPeer(bus.address);
    peer.answers.set('Explain', explaining([], []));
    expect(await explanation).toMatchObject({ feasible: true });
  });

  it('does not ask twice for an allocation', async () => {
    const asked = unanswered('Allocate');
    const granted = broker.allocate(CPU, { size: 4096 });
    const refused = expect(granted).rejects.toMatchObject({ code: 'DaemonLeft' });
    await asked;
    await peer.leave();
    peer = await startPeer(bus.address);
    peer.answers.set('Allocate', granting());
    await refused;
    expect(peer.calls).toEqual([]);
  });

  it('tells which allocations the next daemon does not have', async () => {
    const lost: string[] = [];
    broker.on('lost', ({ path }) => lost.push(path));
    const [kept, foreign, missing] = [await grant('kept'), await grant('foreign'), await grant('missing')];
    const released = await grant('released');
    await released.release();
    const { uniqueName } = await ownerOf();
    await peer.leave();
    expect(missing.state).toBe('held');
    const told = once(broker, 'lost');
    peer = await startPeerThatHas(objects(allocation('kept', uniqueName), allocation('foreign', ':0.7')));
    await told;
    expect(lost).toEqual([foreign.path, missing.path]);
    expect([kept.state, foreign.state, missing.state, released.state]).toEqual([
      'held',
      'lost',
      'lost',
      'released',
    ]);
    await missing.buffers[0]?.map({ write: true }, (bytes) => bytes.fill(1));
    for (const each of [kept, foreign, missing]) await each.release();
    expect(peer.calls.filter(({ member }) => member === 'Release').map(({ body }) => body[0])).toEqual([
      kept.path,
    ]);
  });

  async function grant(name: string) {
    peer.answers.set('Allocate', granting(name));
    return broker.allocate(CPU, { size: 4096 });
  }

  /** Our own name on the bus, as the daemon sees it. */
  async function ownerOf(): Promise<{ uniqueName: string }> {
    const sender = new Promise<string>((resolve) => {
      peer.answers.set('Reload', (call) => {
        resolve(call.sender);
        call.reply();
      });
    });
    await broker.reload();
    return { uniqueName: await sender };
  }

  async function startPeerThatHas(tree: Answer): Promise<Peer> {
    const next = await startPeer(bus.address);
    next.answers.set('GetManagedObjects', tree);
    return next;
  }

  it('tells of the end of the bus, after which calls fail and buffers live', async () => {
    const held = await grant('held');
    const closed = once(broker, 'closed');
    await bus.stop();
    expect(await closed).toMatchObject([{ code: 'NoBus' }]);
    expect(held.state).toBe('lost');
    await expect(broker.status()).rejects.toMatchObject({ code: 'NoBus' });
    expect(await held.buffers[0]?.map({ read: true }, (bytes) => bytes.length)).toBe(4096);
    await held.release();
    expect(held.buffers[0]?.fd.open).toBe(false);
  });

  it('does not wait on when the bus ends', async () => {
    await peer.leave();
    // The end finds the call on its way, or waiting for another daemon.
    const code = expect.stringMatching(/^No(?:Daemon|Bus)$/) as unknown;
    const refused = expect(broker.status()).rejects.toMatchObject({ code });
    await bus.stop();
    await refused;
  });

  it('tells that it was closed', async () => {
    const closed = once(broker, 'closed');
    await broker.close();
    expect(await closed).toEqual([undefined]);
    await expect(broker.reload()).rejects.toMatchObject({ code: 'NoBus' });
  });

  it('does not believe somebody else who says that the daemon is gone', async () => {
    const { uniqueName } = await ownerOf();
    const stranger = await connectBus(bus.address);
    await using watch = await broker.watch();
    // Sent to us alone, a signal comes through whatever match rules we have.
    stranger.emit({
      destination: uniqueName,
      path: '/org/freedesktop/DBus',
      interface: 'org.freedesktop.DBus',
      member: 'NameOwnerChanged',
      signature: 'sss',
      body: [BUS_NAME, peer.bus.uniqueName, ''],
    });
    await delivered(stranger);
    await broker.status();
    expect(watch.objects.get(ROOT_PATH)).toMatchObject({ version: '1.2.3' });
    await stranger.close();
  });

  /** The bus has handed over what was sent before, once it has answered a call that came after. */
  async function delivered(from: Bus): Promise<void> {
    await from.call({
      destination: 'org.freedesktop.DBus',
      path: '/org/freedesktop/DBus',
      interface: 'org.freedesktop.DBus',
      member: 'GetId',
    });
  }
});
