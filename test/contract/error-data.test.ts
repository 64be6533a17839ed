import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { connectBus } from '../../dbus/connection/bus.js';
import { BusCallError, type Bus, type WireDict, type WireValue } from '../../dbus/connection/bus-types.js';
import { BROKER_INTERFACE, BUS_NAME, ROOT_PATH } from '../../dbus/names.js';
import { startDaemon, type RunningDaemon } from '../harness/daemon.js';
import { startBus, type PrivateBus } from '../harness/private-bus.js';
import { TemporaryDirectory } from '../integration/rig.js';
import { ensure } from '../tools/ensure.mjs';

const directory = new TemporaryDirectory();
let bus: PrivateBus;
let daemon: RunningDaemon;
let client: Bus;

beforeAll(async () => {
  bus = await startBus();
  daemon = await startDaemon({ bus, args: ['--root', directory.path] });
  client = await connectBus(bus.address);
});
afterAll(async () => {
  await client.close();
  await daemon.stop();
  await bus.stop();
  directory[Symbol.dispose]();
});

const SIZE: WireDict = [['size', { signature: 't', value: 4096n }]];
const ERROR_DATA: WireDict = [['error-data', { signature: 'b', value: true }]];
/** The CPU reaches no protected memory. */
const DEVICES: WireValue = [['cpu', [['protected', { signature: 'b', value: true }]]]];

const BROKER = { destination: BUS_NAME, path: ROOT_PATH, interface: BROKER_INTERFACE };
const CALL = { ...BROKER, signature: 'a(sa{sv})a{sv}' };

async function refusal(buffer: WireDict): Promise<BusCallError> {
  const error: unknown = await client
    .call({ ...CALL, member: 'Allocate', body: [DEVICES, buffer] })
    .catch((reason: unknown) => reason);
  if (!(error instanceof BusCallError)) throw new Error('it was not refused', { cause: error });
  expect(error.errorName).toBe('org.dmabroker1.Error.Conflict');
  return error;
}

async function conflictsOfExplain(): Promise<WireValue | undefined> {
  const { body } = await client.call({ ...CALL, member: 'Explain', body: [DEVICES, SIZE] });
  const result = body[0] as readonly (readonly [string, { readonly value: WireValue }])[];
  return result.find(([key]) => key === 'conflicts')?.[1].value;
}

test('a Conflict has its constraints as Explain tells them, where the request asks for that', async () => {
  const [without, withFalse, withData] = [
    await refusal(SIZE),
    await refusal([...SIZE, ['error-data', { signature: 'b', value: false }]]),
    await refusal([...SIZE, ...ERROR_DATA]),
  ];
  const conflicts = await conflictsOfExplain();
  expect(conflicts).not.toEqual([]);
  expect([without.details, withFalse.details, withData.details]).toEqual([[], [], [conflicts]]);
  expect(withData.message).toBe(without.message);
});

test('no other error has data', async () => {
  const body = [[['/dev/dri/card77', []]], [...SIZE, ...ERROR_DATA]];
  await expect(client.call({ ...CALL, member: 'Allocate', body })).rejects.toMatchObject({
    errorName: 'org.dmabroker1.Error.UnknownDevice',
    details: [],
  });
});

/** What a program prints on either stream; it may fail. */
async function printed(program: string, ...args: readonly string[]): Promise<string> {
  const env = { ...process.env, DBUS_SESSION_BUS_ADDRESS: bus.address };
  const run = promisify(execFile)(program, args, { env, timeout: 20_000 });
  const { stdout, stderr } = await run.catch((error: unknown) => error as { stdout: string; stderr: string });
  return stdout + stderr;
}

const TARGET = [BUS_NAME, ROOT_PATH] as const;
const PYTHON = `
import dbus
broker = dbus.Interface(dbus.SessionBus().get_object("org.dmabroker1", "/org/dmabroker1"), "org.dmabroker1.Broker")
try:
    broker.Allocate([("cpu", {"protected": True})], {"size": dbus.UInt64(4096), "error-data": True})
except dbus.DBusException as error:
    print(error.get_dbus_message())
`;

describe('other libraries show the message', () => {
  let message = '';
  beforeAll(async () => {
    message = (await refusal(SIZE)).message;
  });

  test.skipIf(!ensure(['libglib2.0-bin'], { optional: true }))('GLib, without error-data', async () => {
    const args = ["[('cpu', {'protected': <true>})]", "{'size': <uint64 4096>}"];
    const target = ['--session', '--dest', BUS_NAME, '--object-path', ROOT_PATH];
    const said = await printed(
      'gdbus',
      'call',
      ...target,
      '--method',
      `${BROKER_INTERFACE}.Allocate`,
      ...args,
    );
    expect(said).toContain(message);
  });

  test.skipIf(!ensure(['systemd'], { optional: true }))('sd-bus, with it', async () => {
    const address = `--address=${bus.address}`;
    const args = ['a(sa{sv})a{sv}', '1', 'cpu', '1', 'protected', 'b', 'true'];
    const buffer = ['2', 'size', 't', '4096', 'error-data', 'b', 'true'];
    const said = await printed(
      'busctl',
      address,
      'call',
      ...TARGET,
      BROKER_INTERFACE,
      'Allocate',
      ...args,
      ...buffer,
    );
    expect(said).toContain(message);
  });

  test.skipIf(!ensure(['python3-dbus'], { optional: true }))('dbus-python, with it', async () => {
    // Debian's package is for its own Python.
    expect(await printed('/usr/bin/python3', '-c', PYTHON)).toBe(`${message}\n`);
  });
});
