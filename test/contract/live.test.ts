import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { afterAll, beforeAll, expect, test } from 'vitest';

import type { InterfaceTable } from '../../daemon/bus/contract.js';
import { connectBus } from '../../dbus/connection/bus.js';
import type { Bus } from '../../dbus/connection/bus-types.js';
import { BROKER_INTERFACE, BUS_NAME, ROOT_PATH } from '../../dbus/names.js';
import { closeAll } from '../../dbus/owned-fd.js';
import { startDaemon, type RunningDaemon } from '../harness/daemon.js';
import { startBus, type PrivateBus } from '../harness/private-bus.js';
import { ensure } from '../tools/ensure.mjs';
import { readIntrospection, type IntrospectedNode } from './introspection-reader.js';
import { unknownAllocation } from '../../daemon/broker/refusal.js';

const PROFILE = fileURLToPath(new URL('../fixtures/profiles/intel-laptop.json', import.meta.url));
const FILE = readIntrospection(
  readFileSync(new URL('../../dbus/org.dmabroker1.xml', import.meta.url), 'utf8'),
);

const withBusctl = test.skipIf(!ensure(['systemd'], { optional: true }));

let privateBus: PrivateBus;
let daemon: RunningDaemon;
let client: Bus;
/** Object path of every kind of object, by the name that the XML file has for it. */
const paths = new Map<string, string>();

/** busctl shows the message alone: it names the action for polkit, or is the one of an allocation that is none. */
const ADMINISTRATION = new RegExp(`\\borg\\.dmabroker1\\.[a-z]|${unknownAllocation().message}`);

const busctl = async (...args: readonly string[]): Promise<string> => {
  const { stdout } = await promisify(execFile)('busctl', [`--address=${privateBus.address}`, ...args]);
  return stdout;
};

beforeAll(async () => {
  privateBus = await startBus();
  daemon = await startDaemon({ bus: privateBus, args: ['--profile', PROFILE] });
  client = await connectBus(privateBus.address);
  const { body, fds } = await client.call({
    destination: BUS_NAME,
    path: ROOT_PATH,
    interface: BROKER_INTERFACE,
    member: 'Allocate',
    signature: 'a(sa{sv})a{sv}',
    body: [[['cpu', []]], [['size', { signature: 't', value: 4096n }]]],
  });
  closeAll(fds);
  const pool = /\/pool\/\w+/.exec(await busctl('tree', '--list', BUS_NAME))?.[0] ?? '';
  paths.set(FILE.name, ROOT_PATH);
  paths.set('device/DEVICE', `${ROOT_PATH}/device/cpu`);
  paths.set('pool/HANDLE', `${ROOT_PATH}${pool}`);
  paths.set('allocation/ID', typeof body[0] === 'string' ? body[0] : '');
  const { body: begun } = await client.call({
    destination: BUS_NAME,
    path: ROOT_PATH,
    interface: BROKER_INTERFACE,
    member: 'Negotiate',
    signature: 'a{sv}a{sv}',
    body: [[['size', { signature: 't', value: 4096n }]], []],
  });
  paths.set('party/ID', typeof begun[0] === 'string' ? begun[0] : '');
});

afterAll(async () => {
  await client.close();
  await daemon.stop();
  await privateBus.stop();
});

const nodesOf = (node: IntrospectedNode): readonly IntrospectedNode[] => [
  node,
  ...node.children.flatMap(nodesOf),
];
/** All but a party, which exists for its own connection only; busctl has another. */
const nodes = nodesOf(FILE)
  .filter(({ name }) => name !== 'party/ID')
  .map((node): [string, readonly InterfaceTable[]] => [node.name, node.interfaces]);
const inOrder = (tables: readonly InterfaceTable[]): string => JSON.stringify(tables, null, 1);

withBusctl.each(nodes)('the daemon gives at %s what the XML file says', async (name, interfaces) => {
  const xml = await busctl('--xml-interface', 'introspect', BUS_NAME, paths.get(name) ?? '');
  const live = readIntrospection(xml).interfaces.filter((table) => table.name.startsWith(BUS_NAME));
  expect(inOrder(live)).toBe(inOrder(interfaces));
});

test('a party has what the XML file says, for its own connection', async () => {
  const { body } = await client.call({
    destination: BUS_NAME,
    path: paths.get('party/ID') ?? '',
    interface: 'org.freedesktop.DBus.Introspectable',
    member: 'Introspect',
  });
  const live = readIntrospection(typeof body[0] === 'string' ? body[0] : '').interfaces.filter((table) =>
    table.name.startsWith(BUS_NAME),
  );
  const party = nodesOf(FILE).find(({ name }) => name === 'party/ID');
  expect(inOrder(live)).toBe(inOrder(party?.interfaces ?? []));
});

withBusctl.each(nodes)('busctl reads every member at %s', async (name, interfaces) => {
  const lines = (await busctl('introspect', BUS_NAME, paths.get(name) ?? '')).split('\n');
  for (const table of interfaces) {
    const start = lines.findIndex((line) => line.startsWith(`${table.name} `));
    const length = lines.slice(start + 1).findIndex((line) => !line.startsWith('.'));
    const rows = lines.slice(start + 1, start + 1 + length).map((line) => line.split(/\s+/));
    const methods = Object.entries(table.methods).map(([method, args]) => [
      `.${method}`,
      'method',
      Object.values(args.in).join('') || '-',
      Object.values(args.out).join('') || '-',
    ]);
    const properties = Object.entries(table.properties).map(([property, { type }]) => [
      `.${property}`,
      'property',
      type,
    ]);
    expect(rows.map((row) => row.slice(0, row[1] === 'method' ? 4 : 3)).toSorted()).toEqual(
      [...methods, ...properties].toSorted(),
    );
    for (const row of rows.filter(([, kind]) => kind === 'property')) {
      const changes = table.properties[row[0]?.slice(1) ?? '']?.changes;
      expect(row.at(-1)).toBe(changes === 'const' ? 'const' : 'emits-change');
    }
  }
});

const EXAMPLES = nodesOf(FILE)
  .flatMap(({ documented }) => documented)
  .flatMap(({ what, comment }): [string, string][] => {
    const [, command] = /busctl ((?:\\\n|.)*)/.exec(comment) ?? [];
    return command === undefined ? [] : [[what, command]];
  })
  // Release last, because it ends what others look at.
  .toSorted(([a], [b]) => Number(a.endsWith('Release')) - Number(b.endsWith('Release')));

withBusctl.each(EXAMPLES)('the example of %s works', async (what, command) => {
  const handle = (paths.get('pool/HANDLE') ?? '').split('/').at(-1) ?? '';
  const filled = command
    .replace(`${ROOT_PATH}/allocation/ID`, paths.get('allocation/ID') ?? '')
    .replace(`${ROOT_PATH}/party/ID`, paths.get('party/ID') ?? '')
    .replaceAll('HANDLE', handle);
  const args = filled
    .replaceAll('\\\n', ' ')
    .split(/\s+/)
    .filter((word) => word !== '')
    .map((word) => word.replaceAll("'", ''));
  const run = busctl(...args);
  const denied = what.includes('.Party.')
    ? /no such object/
    : what.endsWith('.Join')
      ? /no such token/
      : undefined;
  if (denied !== undefined) {
    await expect(run).rejects.toMatchObject({ stderr: expect.stringMatching(denied) as string });
    return;
  }
  // busctl is another connection than the owner's, and only uid 0 is an administrator here.
  if (process.getuid?.() === 0 || !/\.(?:Release|Reload|SetPoolLimit|Reveal)$/.test(what)) await run;
  else
    await expect(run).rejects.toMatchObject({
      stderr: expect.stringMatching(ADMINISTRATION) as string,
    });
});
