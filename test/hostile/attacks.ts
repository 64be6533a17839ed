import { closeAll, type OwnedFd } from '../../dbus/owned-fd.js';
import type { RawClient } from '../harness/raw-client.js';
import { rawMessage, type RawMessage } from '../harness/raw-message.js';
import { times, type Attacker } from '../harness/hostile/attacker.js';
import { call, cpu, CPU, image, PAGE, request, t, u } from '../harness/hostile/values.js';

/** What one user does without a pause until it is told to stop. */
export type Attack = (attacker: Attacker, stop: AbortSignal) => Promise<void>;

const NO_REPLY = 1;
const MIB = 2n ** 20n;
const CONNECTIONS = 60;
/** Bytes that are sent at once. */
const BATCH = 64;

const PEER = 'org.freedesktop.DBus.Peer';
const ping: RawMessage = call({ interface: PEER, member: 'Ping' });
const machineId: RawMessage = call({ interface: PEER, member: 'GetMachineId' });
const list: RawMessage = call({
  interface: 'org.freedesktop.DBus.ObjectManager',
  member: 'GetManagedObjects',
});
const introspect: RawMessage = call({
  interface: 'org.freedesktop.DBus.Introspectable',
  member: 'Introspect',
});
const quiet = (message: RawMessage): RawMessage => ({ ...message, flags: NO_REPLY });

/** A request that ends in a search for the reasons of a conflict; each is another. */
const clash = (index: number): RawMessage =>
  request(
    'Explain',
    times(64, (i) =>
      cpu(u('pitch-exact', 2 ** (i % 12) * 3 + 1), u('pitch-multiple', 3 + 2 * i + 128 * index)),
    ),
    image(),
  );

/** Sends messages for as long as the bus takes them. */
async function flood(
  attacker: Attacker,
  client: RawClient,
  stop: AbortSignal,
  make: (i: number) => RawMessage,
) {
  for (let i = 0; !stop.aborted;) {
    const batch = times(BATCH, () => rawMessage({ ...make(i++), serial: client.nextSerial() }));
    if (!(await attacker.bytes(client, Buffer.concat(batch)))) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Reads and throws away what comes, so that the bus does not wait for it. */
async function drain(attacker: Attacker, client: RawClient, stop: AbortSignal): Promise<void> {
  while (!stop.aborted) await attacker.read(client, 1);
}

/** Asks again as soon as the answer has come, on each of so many connections. */
const asking =
  (make: (i: number) => RawMessage, connections = CONNECTIONS): Attack =>
  async (attacker, stop) => {
    const clients = await attacker.connections(connections);
    await Promise.all(
      clients.map(async (client) => {
        for (let i = 0; !stop.aborted; i++) {
          if (!(await attacker.send(client, [make(i)]))) return;
          await attacker.read(client, 1);
        }
      }),
    );
  };

const flooding =
  (make: (i: number) => RawMessage, connections: number, reads = true): Attack =>
  async (attacker, stop) => {
    const clients = await attacker.connections(connections);
    for (const client of reads ? clients : []) void drain(attacker, client, stop);
    await Promise.all(clients.map((client) => flood(attacker, client, stop, make)));
  };

/** Allocates, so that there is something to list. */
async function fill(attacker: Attacker, buffers: number): Promise<void> {
  for (const client of await attacker.connections(4))
    for (let i = 0; i < buffers / 4; i++) {
      await attacker.send(client, [request('Allocate', CPU, PAGE)]);
      await attacker.read(client, 1);
    }
}

const listing: Attack = async (attacker, stop) => {
  await fill(attacker, 800);
  await asking(() => list)(attacker, stop);
};

const unread =
  (message: RawMessage, connections: number): Attack =>
  async (attacker, stop) => {
    await fill(attacker, 40);
    await flooding(() => message, connections, false)(attacker, stop);
  };

const making = asking((i) =>
  request('Allocate', CPU, [t('size', 16n * MIB + BigInt(i % 64) * 4096n), u('count', 4)]),
);

/** Releases what it allocates and keeps every descriptor, until its quota is used up. */
const keeping: Attack = async (attacker, stop) => {
  const [client] = await attacker.connections(1);
  if (client === undefined) return;
  const kept: OwnedFd[] = [];
  while (!stop.aborted) {
    await attacker.send(client, [request('Allocate', CPU, [t('size', 16n * MIB)])]);
    const reply = await client.read();
    if (reply === undefined) return;
    kept.push(...reply.fds);
    const [path] = reply.body;
    if (reply.fds.length === 0 || typeof path !== 'string') continue;
    await attacker.send(client, [call({ member: 'Release', signature: 'o', body: [path] })]);
    await attacker.read(client, 1);
  }
  closeAll(kept);
};

/** A request that no other is like. */
const distinct = (): RawMessage => {
  const number = Math.floor(Math.random() * 2 ** 30);
  return request(
    'Explain',
    [cpu(u('pitch-min', 1 + (number % 4096)))],
    image(u('width', 1 + ((number >> 12) % 8192))),
  );
};

/** One after the other, a second each. */
const alternating: Attack = async (attacker, stop) => {
  const kinds = [
    flooding(clash, 1),
    flooding(() => quiet(ping), 60),
    asking(() => machineId),
    making,
    unread(list, 2),
  ];
  for (let i = 0; !stop.aborted; i++) {
    const turn = AbortSignal.any([stop, AbortSignal.timeout(1000)]);
    await kinds[i % kinds.length]?.(attacker, turn);
  }
};

/** By what one user does. */
export const ATTACKS: Readonly<Record<string, Attack>> = {
  'conflict searches': flooding(clash, 1),
  'conflict searches on 60 connections': flooding(clash, CONNECTIONS),
  'lists of 800 allocations': listing,
  'light calls on one connection': flooding(() => quiet(introspect), 1),
  'pings on 60 connections': flooding(() => quiet(ping), CONNECTIONS),
  'two that never read': unread(list, 2),
  'twenty that never read': unread(introspect, 20),
  'machine ids': flooding(() => machineId, 4),
  'large buffers': making,
  'memory that is kept after its release': keeping,
  'requests that are all different': asking(distinct, 4),
  'every kind in turn': alternating,
};

/** By what two users do at once. */
export const PAIRS: Readonly<Record<string, readonly [string, string]>> = {
  'two users, searches and pings': ['conflict searches', 'pings on 60 connections'],
  'two users, large buffers and light calls': ['large buffers', 'light calls on one connection'],
};
