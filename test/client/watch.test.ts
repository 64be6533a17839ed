import { once } from 'node:events';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { Broker } from '../../client/broker.js';
import type { BrokerObject } from '../../client/model.js';
import type { Watch } from '../../client/watch.js';
import { connectBus } from '../../dbus/connection/bus.js';
import type { WireValue } from '../../dbus/connection/bus-types.js';
import { POOL_INTERFACE, ROOT_PATH } from '../../dbus/names.js';
import { startBus, type PrivateBus } from '../harness/private-bus.js';
import { objects, pool, poolProperties, startPeer, type Peer } from './peer.js';

const POOL = `${ROOT_PATH}/pool`;

let bus: PrivateBus;
let peer: Peer;
let broker: Broker;
let watch: Watch;
let seen: string[];
beforeEach(async () => {
  bus = await startBus();
  peer = await startPeer(bus.address);
  peer.answers.set('GetManagedObjects', objects(pool('a1')));
  broker = await Broker.open(await connectBus(bus.address), 5_000);
  watch = await broker.watch();
  seen = [];
  watch.on('added', (object) => seen.push(`+${nameOf(object)}`));
  watch.on('removed', (object) => seen.push(`-${nameOf(object)}`));
  watch.on('changed', (object, before) => {
    if (object.kind === 'pool' && before.kind === 'pool')
      seen.push(`~${object.handle} ${before.live}→${object.live}`);
  });
});
afterEach(async () => {
  await watch[Symbol.asyncDispose]();
  await broker.close();
  await peer.leave();
  await bus.stop();
});

const nameOf = (object: BrokerObject): string => object.path.replace(`${ROOT_PATH}/`, '');

const signal = (member: string, signature: string, body: readonly WireValue[]): void => {
  peer.bus.emit({
    path: ROOT_PATH,
    interface: 'org.freedesktop.DBus.ObjectManager',
    member,
    signature,
    body,
  });
};
const added = (object: WireValue): void => {
  signal('InterfacesAdded', 'oa{sa{sv}}', object as readonly WireValue[]);
};
const changed = (handle: string, live: bigint, path = `${POOL}/${handle}`): void => {
  peer.bus.emit({
    path,
    interface: 'org.freedesktop.DBus.Properties',
    member: 'PropertiesChanged',
    signature: 'sa{sv}as',
    body: [POOL_INTERFACE, [['Live', { signature: 't', value: live }]], []],
  });
};

/** Waits until the watch has seen this pool come, and with it everything that was sent before. */
async function settled(): Promise<void> {
  added(pool('end'));
  while (!watch.objects.has(`${POOL}/end`)) await once(watch, 'added');
}

describe('Watch', () => {
  it('knows the broker and its objects from the start', () => {
    expect([...watch.objects.keys()]).toEqual([ROOT_PATH, `${POOL}/a1`]);
    expect(watch.objects.get(`${POOL}/a1`)).toMatchObject({ kind: 'pool', handle: 'a1', live: 0n });
  });

  it('follows what is added, changed and removed', async () => {
    added(pool('b2'));
    changed('b2', 5n);
    changed('a1', 7n);
    signal('InterfacesRemoved', 'oas', [`${POOL}/a1`, [POOL_INTERFACE]]);
    await settled();
    expect(seen).toEqual(['+pool/b2', '~b2 0→5', '~a1 0→7', '-pool/a1', '+pool/end']);
    expect([...watch.objects.keys()]).toEqual([ROOT_PATH, `${POOL}/b2`, `${POOL}/end`]);
  });

  it('tells nothing after close, however often it is closed, and leaves what it knew', async () => {
    const closed = watch;
    await Promise.all([closed.close(), closed.close()]);
    watch = await broker.watch();
    added(pool('b2'));
    await settled();
    expect(seen).toEqual([]);
    expect([...closed.objects.keys()]).toEqual([ROOT_PATH, `${POOL}/a1`]);
    await closed.close();
  });

  it('tells nothing when its own connection is closed', async () => {
    await broker.close();
    await new Promise(setImmediate);
    expect(seen).toEqual([]);
    expect([...watch.objects.keys()]).toEqual([ROOT_PATH, `${POOL}/a1`]);
    await watch.close();
  });

  it('keeps the properties that a change does not name', async () => {
    changed('a1', 7n);
    await settled();
    expect(watch.objects.get(`${POOL}/a1`)).toMatchObject({ class: 'plain', limit: 1n << 30n, live: 7n });
  });

  it('leaves out what it does not understand, and goes on', async () => {
    added([`${POOL}/c3`, [['org.dmabroker1.New', poolProperties('c3', 0n)]]]);
    added([`${POOL}/c3`, [[POOL_INTERFACE, []]]]);
    changed('unknown', 1n);
    signal('InterfacesAdded', 's', ['nothing']);
    signal('Something', '', []);
    await settled();
    expect(seen).toEqual(['+pool/end']);
  });

  it('listens to the daemon alone', async () => {
    const stranger = await connectBus(bus.address);
    // Sent to us alone, a signal comes through whatever match rules we have.
    stranger.emit({
      destination: await ownName(),
      path: ROOT_PATH,
      interface: 'org.freedesktop.DBus.ObjectManager',
      member: 'InterfacesAdded',
      signature: 'oa{sa{sv}}',
      body: pool('forged') as readonly WireValue[],
    });
    // The bus has passed it on once it answers the stranger's next call, and what is sent after that comes later.
    await stranger.call({
      destination: 'org.freedesktop.DBus',
      path: '/org/freedesktop/DBus',
      interface: 'org.freedesktop.DBus',
      member: 'GetId',
    });
    await settled();
    expect(seen).toEqual(['+pool/end']);
    await stranger.close();
  });

  /** The name of the library's connection. */
  async function ownName(): Promise<string> {
    const sender = new Promise<string>((resolve) => {
      peer.answers.set('Reload', (call) => {
        resolve(call.sender);
        call.reply();
      });
    });
    await broker.reload();
    return sender;
  }

  it('empties and fills when another daemon takes over', async () => {
    await peer.leave();
    peer = await startPeer(bus.address);
    peer.answers.set('GetManagedObjects', objects(pool('z9')));
    while (!watch.objects.has(`${POOL}/z9`)) await once(watch, 'added');
    expect(seen).toEqual(
      ['-', '-pool/a1', '+', '+pool/z9'].map((each) => each.replace(/^([-+])$/, `$1${ROOT_PATH}`)),
    );
  });

  it('applies signals that overtake the tree after it', async () => {
    const slow = await Broker.open(await connectBus(bus.address), 5_000);
    peer.answers.set('GetManagedObjects', (call) => {
      changed('a1', 1n);
      added(pool('d4', 3n));
      objects(pool('a1', 2n), pool('d4', 3n))(call);
      changed('a1', 4n);
    });
    const late = await slow.watch();
    while (live(late, 'a1') !== 4n) await once(late, 'changed');
    expect(live(late, 'd4')).toBe(3n);
    await slow.close();
  });

  it('says nothing more when it is disposed of', async () => {
    const other = await broker.watch();
    await other[Symbol.asyncDispose]();
    added(pool('b2'));
    await settled();
    expect(other.objects.has(`${POOL}/b2`)).toBe(false);
  });
});

const live = (of: Watch, handle: string): bigint | undefined => {
  const object = of.objects.get(`${POOL}/${handle}`);
  return object?.kind === 'pool' ? object.live : undefined;
};
