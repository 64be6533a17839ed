import { rawMessage, type RawMessage } from '../raw-message.js';
import { times, type Case } from './attacker.js';
import { b, call, cpu, CPU, image, o, PAGE, request, s, t, texts, u, uint64s, type Key } from './values.js';

/** Attacks by how much is asked at once, and of what. Each is one connection's, and nothing that comes back is read. */

/** Calls that a bus lets one connection wait for at once (max_replies_per_connection of dbus-daemon's system bus is 128). */
const AT_ONCE = 100;
const NO_REPLY = 1;
const INTERACTIVE = 4;

const flood = (title: string, message: RawMessage | ((index: number) => RawMessage), count = 1000): Case => ({
  title,
  attack: async (attacker) => {
    const client = await attacker.connect();
    const make = typeof message === 'function' ? message : (): RawMessage => message;
    const bytes = times(count, (i) => rawMessage({ ...make(i), serial: client.nextSerial() }));
    await attacker.bytes(client, Buffer.concat(bytes));
  },
});

const properties = (member: string, signature: string, ...body: readonly string[]): RawMessage =>
  call({ interface: 'org.freedesktop.DBus.Properties', member, signature, body });

const everyKey: readonly Key[] = [
  ...['pitch-multiple', 'offset-multiple', 'height-multiple'].map((name) => u(name, 64)),
  ...['pitch-max', 'max-width', 'max-height'].map((name) => u(name, 2 ** 31)),
  t('size-multiple', 4096n),
  u('min-buffers', 1),
  b('contiguous', false),
  texts('uses', 'read', 'write'),
];
const clashing = times(64, (i) =>
  cpu(u('pitch-exact', 2 ** (i % 12) * 3 + 1), u('pitch-multiple', 3 + 2 * i)),
);
const manyModifiers = uint64s('modifiers', ...times(4096, (i) => BigInt(i)));

export const FLOODS: readonly Case[] = [
  flood('asks for a thousand buffers at once', request('Allocate', CPU, PAGE)),
  flood('asks for a thousand buffers and wants no answer', {
    ...request('Allocate', CPU, PAGE),
    flags: NO_REPLY,
  }),
  flood(
    'asks ten thousand things before anybody knows who it is, and wants no answer',
    { ...call({ interface: 'org.freedesktop.DBus.Peer', member: 'Ping' }), flags: NO_REPLY },
    10_000,
  ),
  flood('asks a thousand times for nothing possible', request('Allocate', CPU, [t('size', 2n ** 64n - 1n)])),
  flood(
    'asks for the largest requests there can be',
    request(
      'Allocate',
      times(64, () => cpu(...everyKey)),
      image(),
    ),
    AT_ONCE,
  ),
  flood('asks why 64 limits clash', request('Explain', clashing, image()), 20),
  flood('asks for what 64 limits forbid', request('Allocate', clashing, image()), 20),
  flood('gives as many modifiers as it may', request('Explain', CPU, image(manyModifiers)), AT_ONCE),
  flood(
    'gives more modifiers than it may',
    request('Explain', [cpu(manyModifiers, manyModifiers)], image()),
    AT_ONCE,
  ),
  flood('names a thousand devices that there are not', (i) =>
    request('Explain', [[`/dev/dri/card${i}`, []]], PAGE),
  ),
  flood('names files as devices', (i) => request('Explain', [[`/proc/self/fd/${i}`, []]], PAGE)),
  flood('names devices by ways around', (i) =>
    request('Explain', [[`${'../'.repeat(i % 60)}etc/shadow`, []]], PAGE),
  ),
  flood('names devices with the codes of a terminal', (i) =>
    request('Allocate', [[`\u001b[2J\u001b]0;${i}\u0007`, []]], PAGE),
  ),
  flood('labels buffers with what a terminal or a list would do', (i) =>
    request('Allocate', CPU, [...PAGE, s('label', `${['\u001b[31m', '\n', '‮', '"}'][i % 4] ?? ''}${i}`)]),
  ),
  flood('guesses a thousand allocations to release', (i) =>
    call({
      member: 'Release',
      signature: 'o',
      body: [`/org/dmabroker1/allocation/${i.toString(16).padStart(32, '0')}`],
    }),
  ),
  flood('guesses a thousand allocations to extend', (i) =>
    request('Allocate', [], [o('extends', `/org/dmabroker1/allocation/${i.toString(16).padStart(32, '0')}`)]),
  ),
  flood('asks for a thousand reloads', call({ member: 'Reload' })),
  flood('asks for a thousand reloads, and for a person', {
    ...call({ member: 'Reload' }),
    flags: INTERACTIVE,
  }),
  flood('limits the pools to nothing', call({ member: 'SetPoolLimit', signature: 'st', body: ['x', 0n] })),
  flood('asks what is behind the pools', call({ member: 'Reveal', signature: 's', body: ['0'.repeat(200)] })),
  flood(
    'lists everything a thousand times',
    call({ interface: 'org.freedesktop.DBus.ObjectManager', member: 'GetManagedObjects' }),
  ),
  flood('lists everything, and asks to see what others have', {
    ...call({ interface: 'org.freedesktop.DBus.ObjectManager', member: 'GetManagedObjects' }),
    flags: INTERACTIVE,
  }),
  flood(
    'introspects a thousand times',
    call({ interface: 'org.freedesktop.DBus.Introspectable', member: 'Introspect' }),
  ),
  flood('introspects what there is not', (i) =>
    call({
      interface: 'org.freedesktop.DBus.Introspectable',
      member: 'Introspect',
      path: `/a${'/b'.repeat(i % 200)}`,
    }),
  ),
  flood('reads all properties a thousand times', properties('GetAll', 's', '')),
  flood('reads properties that there are not', (i) => properties('Get', 'ss', '', `__proto__${i}`)),
  flood('calls what there is not', (i) =>
    call({ member: ['constructor', 'toString', 'hasOwnProperty'][i % 3] ?? 'x' }),
  ),
  flood('calls interfaces that there are not', (i) => call({ interface: `org.example.I${i}`, member: 'X' })),
  flood(
    'calls the machine id a thousand times',
    call({ interface: 'org.freedesktop.DBus.Peer', member: 'GetMachineId' }),
  ),
  flood('calls a path of 60,000 bytes', call({ path: `/${'p'.repeat(60_000)}`, member: 'Reload' }), AT_ONCE),
  flood('sends texts of half a mebibyte', request('Allocate', [['d'.repeat(2 ** 19), []]], PAGE), 20),
  flood('sends 8 MiB in one message', request('Allocate', [['d'.repeat(2 ** 23), []]], PAGE), 2),
  flood('sends arguments of other types', (i) =>
    call({
      member: 'Release',
      signature: ['u', 's', 'as', '(o)'][i % 4] ?? 'u',
      body: [[1, 's', ['s'], ['/x']][i % 4] ?? 1],
    }),
  ),
];
