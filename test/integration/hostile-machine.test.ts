import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { connectBus } from '../../dbus/connection/bus.js';
import type { Bus, WireValue } from '../../dbus/connection/bus-types.js';
import { BROKER_INTERFACE, BUS_NAME, ROOT_PATH } from '../../dbus/names.js';
import { closeAll } from '../../dbus/owned-fd.js';
import { startDaemon } from '../harness/daemon.js';
import { startBus } from '../harness/private-bus.js';
import { SysfsTree } from '../tools/sysfs-tree.js';
import { PROFILE, runDaemon } from './rig.js';

/** What a daemon that was started with these options warns of, once it has served a client. */
async function warningsOf(args: readonly string[], device: string): Promise<string> {
  await using bus = await startBus();
  await using daemon = await startDaemon({ bus, args });
  const client = await connectBus(bus.address);
  await serve(client, device);
  const warnings = await property(client, 'Warnings');
  await client.close();
  expect(await daemon.stop()).toEqual({ code: 0, signal: null });
  return warnings;
}

async function serve(client: Bus, device: string): Promise<void> {
  const body = [[[device, []]], [['size', { signature: 't', value: 4096n }]]];
  const signature = 'a(sa{sv})a{sv}';
  const target = { destination: BUS_NAME, path: ROOT_PATH, interface: BROKER_INTERFACE };
  const { fds } = await client.call({ ...target, member: 'Allocate', signature, body });
  closeAll(fds);
  expect(fds).toHaveLength(1);
}

async function property(client: Bus, name: string): Promise<string> {
  const { body } = await client.call({
    destination: BUS_NAME,
    path: ROOT_PATH,
    interface: 'org.freedesktop.DBus.Properties',
    member: 'Get',
    signature: 'ss',
    body: [BROKER_INTERFACE, name],
  });
  return JSON.stringify(body[0] satisfies WireValue | undefined);
}

type Document = Record<string, unknown> & { devices: unknown[]; heaps: unknown[] };

/** Each change, and the place that its warning names. */
const MISTAKES: readonly (readonly [string, (document: Document) => void, string])[] = [
  ['a key that nobody knows', (document) => (document['extra'] = 1), '$.extra'],
  ['a device that is none', ({ devices }) => devices.push(7), '$.devices['],
  ['a device of nothing', ({ devices }) => devices.push({}), '$.devices['],
  [
    'a device with the name of a prototype',
    ({ devices }) => devices.push(JSON.parse('{"__proto__":{"node":"/dev/x"}}')),
    '$.devices[',
  ],
  ['a device twice', ({ devices }) => devices.push(devices[0]), 'is there twice'],
  ['a heap that is none', ({ heaps }) => heaps.push(null), '$.heaps['],
  ['reach of nothing', (document) => (document['reach'] = [{ device: '/dev/x', heap: 'y' }]), '$.reach['],
  ['a list that is none', (document) => Object.assign(document, { reach: 'all' }), '$.reach'],
];

describe('a profile with a mistake', () => {
  it.each(MISTAKES)('%s still serves with the rest', async (_title, change, place) => {
    using tree = new SysfsTree();
    const document = JSON.parse(readFileSync(PROFILE, 'utf8')) as Document;
    change(document);
    tree.files({ '/profile.json': JSON.stringify(document) });
    const file = join(tree.root, 'profile.json');
    const warnings = await warningsOf(['--profile', file, '--root', tree.root], '/dev/dri/card0');
    expect(warnings).toContain(basename(file));
    expect(warnings).toContain(place);
  });

  it.each([
    ['is cut off', '{"version": 1, "machine": {'],
    ['is a list', '[]'],
    ['is of another version', '{"version": 99}'],
    ['has no machine', '{"version": 1}'],
    ['is empty', ''],
    ['is not text', Buffer.from([0xff, 0xfe, 0, 0])],
  ])('that %s is refused by its name', async (_title, content) => {
    using tree = new SysfsTree();
    tree.files({ '/profile.json': content });
    const file = join(tree.root, 'profile.json');
    const { code, stderr } = await runDaemon('--check', '--profile', file, '--root', tree.root);
    expect(code).toBe(1);
    expect(stderr).toContain('profile.json');
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });
});

describe('a machine whose files are wrong', () => {
  const GPU = '/sys/devices/gpu';
  const BROKEN: readonly (readonly [string, (tree: SysfsTree) => unknown, string])[] = [
    ['a number that is none', (tree) => tree.drm('card0', 'x:y', GPU), '/dev'],
    ['a number of megabytes', (tree) => tree.drm('card0', '1'.repeat(2 ** 20), GPU), '/dev'],
    ['a link that leads nowhere', (tree) => tree.link('/sys/class/drm/card0', '/sys/nothing'), 'card0'],
    ['a link round and round', (tree) => tree.link('/sys/class/drm/card0', '/sys/class/drm/card0'), 'card0'],
    ['a file in place of a node', (tree) => tree.drm('card0', '226:0', GPU), 'card0'],
    ['a file in place of a camera', (tree) => tree.video('video0', '81:0', '/sys/devices/cam'), 'video0'],
    [
      'memory that is no number',
      (tree) => tree.files({ '/proc/meminfo': 'MemTotal: lots\n' }),
      '/proc/meminfo',
    ],
    [
      'memory that is no text',
      (tree) => tree.files({ '/proc/meminfo': Buffer.from([255, 254]) }),
      '/proc/meminfo',
    ],
    ['a directory in place of a file', (tree) => tree.directory('/proc/meminfo'), '/proc/meminfo'],
  ];

  it.each(BROKEN)('%s is a warning, and cpu is served', async (_title, damage, file) => {
    using tree = new SysfsTree();
    damage(tree);
    expect(await warningsOf(['--root', tree.root], 'cpu')).toContain(file);
  });

  it('a file in place of a heap is passed over', async () => {
    using tree = new SysfsTree();
    tree.files({ '/dev/dma_heap/system': 'x' });
    expect(await warningsOf(['--root', tree.root], 'cpu')).toContain('/proc/meminfo');
  });
});
