import { afterAll, beforeAll, expect, it, vi } from 'vitest';

import { connectBus } from '../../dbus/connection/bus.js';
import { BusCallError, type Bus, type WireValue } from '../../dbus/connection/bus-types.js';
import { BROKER_INTERFACE, BUS_NAME, ROOT_PATH } from '../../dbus/names.js';
import { closeAll } from '../../dbus/owned-fd.js';
import { startDaemon, type RunningDaemon } from '../harness/daemon.js';
import { startBus, type PrivateBus } from '../harness/private-bus.js';
import { writePolicy } from '../harness/root-policy.js';
import { PROFILE, TemporaryDirectory } from './rig.js';

const CLIENTS = 50;
const ROUNDS = 40;
const RELOADS = 20;
const IS_ADMINISTRATOR = process.getuid?.() === 0;
const SMALL = 16_384n;
const LARGE = 1_048_576n;

/** Policies that each give what is asked here, from other pools, with other stock and other limits. */
const GENEROUS = [
  '[Pool scattered]\nWarm=16M\n',
  '[Pool scattered]\nWarm=0\n[Heap name=system]\nUse=no\n',
  '[Heap name=system]\nClass=device\n[Pool device]\nLimit=512M\nWarm=1M\n',
  '[Pool scattered]\nLimit=512M\nWarm=4M\nIdle=1s\nAccess=users\n',
];

const root = new TemporaryDirectory();
let bus: PrivateBus;
let daemon: RunningDaemon;
let clients: readonly [Bus, ...Bus[]];

beforeAll(async () => {
  writePolicy(root.path, GENEROUS[0] ?? '');
  bus = await startBus();
  daemon = await startDaemon({ bus, args: ['--profile', PROFILE, '--root', root.path] });
  const connect = (): Promise<Bus> => connectBus(bus.address);
  clients = await Promise.all([connect(), ...Array.from({ length: CLIENTS - 1 }, connect)]);
});
afterAll(async () => {
  await Promise.all(clients.map((client) => client.close()));
  await daemon.stop();
  await bus.stop();
  root[Symbol.dispose]();
});

const call = async (client: Bus, member: string, signature = '', body: readonly WireValue[] = []) =>
  client.call({
    destination: BUS_NAME,
    path: ROOT_PATH,
    interface: BROKER_INTERFACE,
    member,
    signature,
    body,
  });

/** Allocates and releases. @returns why it was refused */
async function lifecycle(client: Bus, size: bigint, count: number): Promise<BusCallError | undefined> {
  try {
    const buffer = [
      ['size', { signature: 't', value: size }],
      ['count', { signature: 'u', value: count }],
    ] as const;
    const { body, fds } = await call(client, 'Allocate', 'a(sa{sv})a{sv}', [[['cpu', []]], buffer]);
    closeAll(fds);
    expect(fds).toHaveLength(count);
    await call(client, 'Release', 'o', body.slice(0, 1));
    return undefined;
  } catch (error) {
    if (error instanceof BusCallError) return error;
    throw error;
  }
}

/** Has policy read again by a signal. */
async function signalled(): Promise<void> {
  const times = (): number => daemon.log().split('policy was read again').length;
  const before = times();
  process.kill(daemon.pid, 'SIGHUP');
  await vi.waitFor(
    () => {
      expect(times()).toBeGreaterThan(before);
    },
    { timeout: 10_000, interval: 5 },
  );
}

/** Has every client allocate on and on while the policies take turns. @returns what was refused, by size */
async function load(policies: readonly string[]): Promise<readonly { size: bigint; error: BusCallError }[]> {
  const refused: { size: bigint; error: BusCallError }[] = [];
  let reloads = 0;
  const reloading = (async () => {
    for (; reloads < RELOADS; reloads += 1) {
      writePolicy(root.path, policies[reloads % policies.length] ?? '');
      if (IS_ADMINISTRATOR && reloads % 2 === 0) await call(clients[0], 'Reload');
      else await signalled();
    }
  })();
  const working = clients.map(async (client, i) => {
    for (let round = 0; round < ROUNDS || reloads < RELOADS; round += 1) {
      const size = (i + round) % 2 === 0 ? SMALL : LARGE;
      const error = await lifecycle(client, size, 1 + ((i + round) % 3));
      if (error !== undefined) refused.push({ size, error });
    }
  });
  await Promise.all([reloading, ...working]);
  return refused;
}

it('refuses nobody for a reload', { timeout: 120_000 }, async () => {
  expect(await load(GENEROUS)).toEqual([]);
});

it(
  'refuses what one of the policies refuses, for its reason, and nothing else',
  { timeout: 120_000 },
  async () => {
    const refused = await load([...GENEROUS.slice(0, 1), '[Broker]\nMaxBuffer=64K\n']);
    expect(refused.length).toBeGreaterThan(0);
    for (const { size, error } of refused) {
      expect(size).toBe(LARGE);
      expect(error).toMatchObject({
        errorName: 'org.dmabroker1.Error.QuotaExceeded',
        message: expect.stringContaining('MaxBuffer') as string,
      });
    }
  },
);
