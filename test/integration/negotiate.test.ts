import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';

import { connectBus } from '../../dbus/connection/bus.js';
import type { Bus, Reply, WireValue } from '../../dbus/connection/bus-types.js';
import { closeAll } from '../../dbus/owned-fd.js';
import { startDaemon, type RunningDaemon } from '../harness/daemon.js';
import { startBus, type PrivateBus } from '../harness/private-bus.js';
import { NOTHING_READY, writePolicy } from '../harness/root-policy.js';
import { PROFILE, TemporaryDirectory } from './rig.js';

const root = new TemporaryDirectory();
let bus: PrivateBus;
let daemon: RunningDaemon;

beforeAll(async () => {
  bus = await startBus();
  writePolicy(root.path, NOTHING_READY);
  daemon = await startDaemon({ bus, args: ['--profile', PROFILE, '--root', root.path] });
});
afterAll(async () => {
  await daemon.stop();
  await bus.stop();
  root[Symbol.dispose]();
});

const u = (value: number): WireValue => ({ signature: 'u', value });
const s = (value: string): WireValue => ({ signature: 's', value });
const as = (...value: string[]): WireValue => ({ signature: 'as', value });

/** A connection of its own. */
class Client {
  readonly bus: Bus;

  constructor(connection: Bus) {
    this.bus = connection;
  }

  call(path: string, name: string, member: string, signature: string, ...body: WireValue[]): Promise<Reply> {
    return this.bus.call({ destination: 'org.dmabroker1', path, interface: name, member, signature, body });
  }

  async broker(member: string, signature: string, ...body: WireValue[]): Promise<string> {
    const reply = await this.call('/org/dmabroker1', 'org.dmabroker1.Broker', member, signature, ...body);
    const [value] = reply.body;
    return typeof value === 'string' ? value : '';
  }

  party(path: string, member: string, signature: string, ...body: WireValue[]): Promise<Reply> {
    return this.call(path, 'org.dmabroker1.Party', member, signature, ...body);
  }

  async state(path: string): Promise<unknown> {
    const name = 'org.freedesktop.DBus.Properties';
    const { body } = await this.call(path, name, 'Get', 'ss', 'org.dmabroker1.Party', 'State');
    return (body[0] as { value?: unknown }).value;
  }
}

async function connect(): Promise<Client> {
  const connection = await connectBus(bus.address);
  onTestFinished(() => connection.close());
  return new Client(connection);
}

const IMAGE: WireValue = [
  ['width', u(640)],
  ['height', u(480)],
  ['formats', as('NV12', 'XR24')],
];
/** One alternative: a program that holds so many buffers. */
const holding = (buffers: number): WireValue => [
  [
    [
      'cpu',
      [
        ['uses', as('read', 'write')],
        ['min-buffers', u(buffers)],
      ],
    ],
  ],
];

async function inodes({ fds }: Reply): Promise<readonly string[]> {
  const { readlinkSync, statSync } = await import('node:fs');
  const found = fds.map((fd) => {
    const path = `/proc/self/fd/${fd.number}`;
    return `${statSync(path).ino} ${readlinkSync(path).length > 0}`;
  });
  closeAll(fds);
  return found;
}

describe('negotiation over a bus', () => {
  it('gives two connections that do not know each other the same buffers', async () => {
    const [camera, viewer] = [await connect(), await connect()];
    const first = await camera.broker('Negotiate', 'a{sv}a{sv}', IMAGE, []);
    expect(first).toMatch(/^\/org\/dmabroker1\/party\/[0-9a-f]{32}$/);
    const { body: invited } = await camera.party(first, 'Invite', 'ua{sv}', 1, [['label', s('viewer')]]);
    const [token] = invited[0] as readonly string[];
    expect(token).toMatch(/^[0-9a-f]{32}$/);
    const second = await viewer.broker('Join', 's', token ?? '');
    const waiting = viewer.party(second, 'Buffers', 'u', 0);
    await camera.party(first, 'Constrain', 'aa(sa{sv})a{sv}', holding(2), []);
    expect([await camera.state(first), await viewer.state(second)]).toEqual(['waiting', 'asked']);
    await viewer.party(second, 'Constrain', 'aa(sa{sv})a{sv}', holding(1), [['spare', u(1)]]);

    const [own, others] = [await camera.party(first, 'Buffers', 'u', 0), await waiting];
    const layout = new Map(own.body[0] as readonly [string, { value: unknown }][]);
    expect(layout.get('format')?.value).toBe('NV12');
    expect([layout.get('count')?.value, layout.get('generation')?.value]).toEqual([4, 1]);
    const mine = await inodes(own);
    expect(mine).toHaveLength(4);
    expect(await inodes(others)).toEqual(mine);
    expect([await camera.state(first), await viewer.state(second)]).toEqual(['ready', 'ready']);
  });

  it('shows a party to its own connection only', async () => {
    const [one, other] = [await connect(), await connect()];
    const path = await one.broker('Negotiate', 'a{sv}a{sv}', IMAGE, []);
    const unknown = { errorName: 'org.freedesktop.DBus.Error.UnknownObject' };
    await expect(other.party(path, 'Leave', '')).rejects.toMatchObject(unknown);
    await expect(other.state(path)).rejects.toMatchObject(unknown);
    const manager = 'org.freedesktop.DBus.ObjectManager';
    const listed = async (client: Client): Promise<string> => {
      const { body } = await client.call('/org/dmabroker1', manager, 'GetManagedObjects', '');
      return JSON.stringify((body[0] as readonly (readonly [string, unknown])[]).map(([object]) => object));
    };
    expect(await listed(one)).toContain(path);
    expect(await listed(other)).not.toContain(path);
    await one.party(path, 'Leave', '');
    await expect(one.party(path, 'Leave', '')).rejects.toMatchObject(unknown);
  });

  it('names the needs that clash', async () => {
    const client = await connect();
    const path = await client.broker('Negotiate', 'a{sv}a{sv}', IMAGE, [['max-buffers', u(2)]]);
    await client.party(path, 'Constrain', 'aa(sa{sv})a{sv}', holding(3), []);
    await expect(client.party(path, 'Buffers', 'u', 0)).rejects.toMatchObject({
      errorName: 'org.dmabroker1.Error.Conflict',
      message: expect.stringMatching(/party 0: min-buffers 3/) as string,
    });
    const { body } = await client.party(path, 'Explain', '');
    const result = new Map(body[0] as readonly [string, { value: unknown }][]);
    expect(result.get('feasible')?.value).toBe(false);
    expect(result.get('conflicts')?.value).toHaveLength(2);
    expect(result.get('parties')?.value).toHaveLength(1);
  });

  it.each<[string, string, string, WireValue[], string]>([
    ['Negotiate', 'a{sv}a{sv}', 'no size', [[], []], 'InvalidRequest'],
    [
      'Negotiate',
      'a{sv}a{sv}',
      'a deadline of a minute',
      [IMAGE, [['deadline', u(60_000)]]],
      'InvalidRequest',
    ],
    ['Negotiate', 'a{sv}a{sv}', 'a key that there is not', [IMAGE, [['max', u(1)]]], 'InvalidRequest'],
    ['Join', 's', 'a token that nobody made', ['0'.repeat(32)], 'UnknownToken'],
    ['Join', 's', 'no token', [''], 'UnknownToken'],
  ])('refuses %s(%s) with %s', async (member, signature, _what, body, code) => {
    const client = await connect();
    await expect(client.broker(member, signature, ...body)).rejects.toMatchObject({
      errorName: `org.dmabroker1.Error.${code}`,
    });
  });

  it('leaves nothing behind when everybody leaves', async () => {
    const before = daemon.fdCount();
    const client = new Client(await connectBus(bus.address));
    const path = await client.broker('Negotiate', 'a{sv}a{sv}', IMAGE, []);
    await client.party(path, 'Constrain', 'aa(sa{sv})a{sv}', holding(3), []);
    closeAll((await client.party(path, 'Buffers', 'u', 0)).fds);
    await client.bus.close();
    await vi.waitFor(() => {
      expect(daemon.fdCount()).toBeLessThanOrEqual(before);
    });
  });
});
