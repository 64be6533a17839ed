import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { errorName } from '../../dbus/errors.js';
import { BUS_NAME, devicePath, ROOT_PATH } from '../../dbus/names.js';
import { closeAll } from '../../dbus/owned-fd.js';
import { field, type RawValue } from '../harness/raw-message.js';
import { newMemfd } from '../harness/sockets.js';
import { expectError, HostileRig } from './hostile-rig.js';
import { call, CPU, image, PAGE, request, REQUEST_TYPE, type CallParts } from '../harness/hostile/values.js';

const dbus = (name: string): string => `org.freedesktop.DBus.${name}`;
const PROPERTIES = dbus('Properties');
const MANAGER = dbus('ObjectManager');
const PEER = dbus('Peer');
const INTROSPECTABLE = dbus('Introspectable');
const BROKER = `${BUS_NAME}.Broker`;
const CPU_PATH = devicePath('cpu');

let rig: HostileRig;
beforeAll(async () => {
  rig = await HostileRig.start();
});
afterAll(async () => {
  await rig[Symbol.asyncDispose]();
});

/** Title, call, name of the error, and what its text must name. */
type Row = readonly [string, CallParts, string, string];

const properties = (member: string, signature: string, ...body: readonly RawValue[]): CallParts => ({
  interface: PROPERTIES,
  member,
  signature,
  body,
});

const NOWHERE: readonly Row[] = [
  ['an unknown member', { member: 'Free' }, dbus('Error.UnknownMethod'), '"Free"'],
  ['a member named constructor', { member: 'constructor' }, dbus('Error.UnknownMethod'), '"constructor"'],
  ['a member named __proto__', { member: '__proto__' }, dbus('Error.UnknownMethod'), '"__proto__"'],
  [
    'a member in another case',
    { member: 'allocate', signature: REQUEST_TYPE, body: [CPU, PAGE] },
    dbus('Error.UnknownMethod'),
    '"allocate"',
  ],
  ['an unknown member of no interface', { member: 'Free', interface: '' }, dbus('Error.UnknownMethod'), ''],
  [
    'an unknown interface',
    { interface: 'org.example.X', member: 'Allocate' },
    dbus('Error.UnknownInterface'),
    '"org.example.X"',
  ],
  [
    'a broker on a device',
    { path: CPU_PATH, member: 'Allocate', signature: REQUEST_TYPE, body: [CPU, PAGE] },
    dbus('Error.UnknownInterface'),
    BROKER,
  ],
  ['an unknown object', { path: '/org/example', member: 'Allocate' }, dbus('Error.UnknownObject'), 'object'],
  ['an unknown device', { path: devicePath('x'), member: 'Allocate' }, dbus('Error.UnknownObject'), 'object'],
  [
    'a path with the name of a prototype',
    { path: '/org/dmabroker1/device/__proto__', member: 'Allocate' },
    dbus('Error.UnknownObject'),
    'object',
  ],
  ['a path above', { path: '/org', member: 'Allocate' }, dbus('Error.UnknownInterface'), BROKER],
];

const SIGNATURES: readonly Row[] = (
  [
    [{ member: 'Allocate' }, 'Allocate'],
    [{ member: 'Allocate', signature: 'a(sa{sv})', body: [CPU] }, 'Allocate'],
    [{ member: 'Allocate', signature: `${REQUEST_TYPE}u`, body: [CPU, PAGE, 1] }, 'Allocate'],
    [{ member: 'Allocate', signature: 'a{sv}a{sv}', body: [[], PAGE] }, 'Allocate'],
    [{ member: 'Explain', signature: 's', body: ['x'] }, 'Explain'],
    [{ member: 'Release' }, 'Release'],
    [{ member: 'Release', signature: 's', body: ['/org/dmabroker1'] }, 'Release'],
    [{ member: 'Release', signature: 'oo', body: ['/a', '/b'] }, 'Release'],
    [{ member: 'Reload', signature: 'b', body: [true] }, 'Reload'],
    [{ member: 'SetPoolLimit', signature: 'su', body: ['x', 1] }, 'SetPoolLimit'],
    [{ member: 'Reveal', signature: 'o', body: ['/x'] }, 'Reveal'],
    [properties('Get', 's', BROKER), 'Get'],
    [properties('Get', 'ssu', BROKER, 'Version', 1), 'Get'],
    [properties('GetAll', ''), 'GetAll'],
    [properties('Set', 'sss', BROKER, 'Version', '2'), 'Set'],
    [{ interface: MANAGER, member: 'GetManagedObjects', signature: 's', body: ['x'] }, 'GetManagedObjects'],
    [{ interface: INTROSPECTABLE, member: 'Introspect', signature: 'u', body: [1] }, 'Introspect'],
    [{ interface: PEER, member: 'Ping', signature: 'v', body: [['u', 1]] }, 'Ping'],
    [{ interface: PEER, member: 'GetMachineId', signature: 'ay', body: [[1]] }, 'GetMachineId'],
  ] satisfies readonly (readonly [CallParts, string])[]
).map(([parts, member]): Row => [
  `${member} of "${parts.signature ?? ''}"`,
  parts,
  dbus('Error.InvalidArgs'),
  `${member} takes "`,
]);

const READ: readonly Row[] = [
  ['no such property', properties('Get', 'ss', BROKER, 'Secrets'), dbus('Error.UnknownProperty'), 'Secrets'],
  [
    'a property named __proto__',
    properties('Get', 'ss', BROKER, '__proto__'),
    dbus('Error.UnknownProperty'),
    '"__proto__"',
  ],
  [
    "another interface's property",
    properties('Get', 'ss', PEER, 'Version'),
    dbus('Error.UnknownProperty'),
    'Version',
  ],
  [
    'the properties of no interface',
    properties('GetAll', 's', 'org.example.X'),
    dbus('Error.UnknownInterface'),
    '"org.example.X"',
  ],
  [
    'the properties of nothing',
    { ...properties('GetAll', 's', ''), path: '/org/dmabroker1/pool/x' },
    dbus('Error.UnknownObject'),
    'object',
  ],
  [
    'objects below a device',
    { path: CPU_PATH, interface: MANAGER, member: 'GetManagedObjects' },
    dbus('Error.UnknownInterface'),
    MANAGER,
  ],
  [
    'what is at a path that is not there',
    { path: '/x', interface: INTROSPECTABLE, member: 'Introspect' },
    dbus('Error.UnknownObject'),
    'object',
  ],
];

const RELEASE: readonly Row[] = [
  '/',
  ROOT_PATH,
  CPU_PATH,
  '/org/dmabroker1/allocation/0',
  '/org/dmabroker1/allocation/__proto__',
  '/org/dmabroker1/allocation',
].map((path) => [
  `Release of ${path}`,
  { member: 'Release', signature: 'o', body: [path] },
  errorName('UnknownAllocation'),
  'allocation',
]);

const LONG: readonly Row[] = [
  [
    'Release of a path of 256 bytes',
    { member: 'Release', signature: 'o', body: [`/${'p'.repeat(255)}`] },
    errorName('InvalidRequest'),
    'allocation: 256 bytes',
  ],
];

describe('a call', () => {
  it.each([...NOWHERE, ...SIGNATURES, ...READ, ...RELEASE, ...LONG])(
    'to %s is refused',
    async (_title, parts, name, says) => {
      await using attacker = await rig.connect();
      expectError(await rig.ask(attacker, call(parts)), name, says);
      await rig.expectUnharmed();
    },
  );

  it('without an interface finds its method', async () => {
    {
      await using attacker = await rig.connect();
      const parts = { interface: '', member: 'Allocate', signature: REQUEST_TYPE, body: [CPU, image()] };
      expect(await rig.ask(attacker, call(parts))).toMatchObject({ kind: 'reply', fds: 1 });
    }
    await rig.expectUnharmed();
  });
});

describe('Set', () => {
  const CONSTANTS = ['Version', 'MaxFdsPerReply', 'LiveBytes', 'LiveBuffers', 'PolicyFiles', 'Warnings'];
  it.each(CONSTANTS)('of %s is refused and changes nothing', async (name) => {
    const before = await rig.property(name);
    await using attacker = await rig.connect();
    for (const value of [
      ['s', '6.6.6'],
      ['t', 1n],
      ['u', 1],
      ['as', ['x']],
    ] as const) {
      const answer = await rig.ask(attacker, call(properties('Set', 'ssv', BROKER, name, value)));
      expectError(answer, dbus('Error.PropertyReadOnly'), 'read-only');
    }
    expect(await rig.property(name)).toEqual(before);
    await rig.expectUnharmed();
  });

  it.each([
    ['an unknown property', BROKER, 'Secrets', 'UnknownProperty'],
    ['an unknown interface', 'org.example.X', 'Version', 'UnknownInterface'],
  ])('of %s is refused', async (_title, face, name, error) => {
    await using attacker = await rig.connect();
    const answer = await rig.ask(attacker, call(properties('Set', 'ssv', face, name, ['s', 'x'])));
    expectError(answer, dbus(`Error.${error}`), '');
    await rig.expectUnharmed();
  });
});

describe('file descriptors', () => {
  const CALLS: readonly CallParts[] = [
    { member: 'Allocate', signature: REQUEST_TYPE, body: [CPU, PAGE] },
    { member: 'Release', signature: 'o', body: ['/x'] },
    { member: 'Nothing' },
    { member: 'Reload' },
    properties('Get', 'ss', BROKER, 'Version'),
    properties('Set', 'ssv', BROKER, 'Version', ['h', 0]),
    { interface: PEER, member: 'Ping' },
    { interface: PEER, member: 'Ping', signature: 'ah', body: [[0]] },
    { interface: INTROSPECTABLE, member: 'Introspect' },
    { interface: MANAGER, member: 'GetManagedObjects' },
  ];
  const rows = CALLS.flatMap((parts) => [1, 16].map((count) => [parts.member, count, parts] as const));

  it.each(rows)('with %s, %i of them, are refused and closed', async (member, count, parts) => {
    await using attacker = await rig.connect();
    const fds = Array.from({ length: count }, () => newMemfd());
    try {
      const answer = await rig.ask(attacker, call({ ...parts, extra: [field.unixFds(count)] }), fds);
      expectError(answer, errorName('InvalidRequest'), `${member}: `);
    } finally {
      closeAll(fds);
    }
    await rig.expectUnharmed();
  });

  it('in an entry of a request are refused and closed', async () => {
    await using attacker = await rig.connect();
    using fd = newMemfd();
    const message = request('Allocate', [['cpu', [['uses', ['h', 0]]]]], PAGE, [field.unixFds(1)]);
    expectError(await rig.ask(attacker, message, [fd]), errorName('InvalidRequest'), 'file descriptors');
    await rig.expectUnharmed();
  });
});
