import { BUS_NAME, ROOT_PATH } from '../../../dbus/names.js';
import { ERROR, field, marshal, REPLY, SIGNAL, type RawMessage, type RawValue } from '../raw-message.js';
import { times, type Attacker, type Case } from './attacker.js';
import { unheard } from './messages.js';
import { call, CPU, PAGE, request } from './values.js';

/** Attacks by who the sender says that it is, and what it says has happened. */

const DRIVER = 'org.freedesktop.DBus';

/** A signal sent to the daemon alone. */
const signal = (
  target: string,
  from: string,
  member: string,
  signature: string,
  body: readonly RawValue[],
): RawMessage => ({
  type: SIGNAL,
  fields: [
    field.path('/org/freedesktop/DBus'),
    field.interface(from),
    field.member(member),
    field.destination(target),
    field.signature(signature),
    // A bus writes the real sender over it.
    field.sender(DRIVER),
  ],
  body: marshal(signature, body),
});

const pretends = (
  title: string,
  make: (attacker: Attacker, index: number) => RawMessage,
  count = 100,
): Case => ({
  title,
  attack: async (attacker) => {
    const client = await attacker.connect();
    await attacker.send(
      client,
      times(count, (i) => make(attacker, i)),
    );
  },
});

const asks = (
  title: string,
  member: string,
  signature: string,
  ...bodies: readonly (readonly RawValue[])[]
): Case => ({
  title,
  attack: async (attacker) => {
    const client = await attacker.connect();
    for (const body of bodies) await client.callDriver(member, signature, body).catch(() => undefined);
  },
});

const EVERYTHING = ["type='signal'", "eavesdrop='true'", `sender='${BUS_NAME}'`, "type='method_return'", ''];

export const IMPOSTORS: readonly Case[] = [
  pretends('says for everybody that they left', ({ target }, i) =>
    signal(target, DRIVER, 'NameOwnerChanged', 'sss', [`:1.${i}`, `:1.${i}`, '']),
  ),
  pretends('says that the daemon lost its name', ({ target }) =>
    signal(target, DRIVER, 'NameLost', 's', [BUS_NAME]),
  ),
  pretends('says that the daemon is called otherwise', ({ target }) =>
    signal(target, DRIVER, 'NameAcquired', 's', ['org.example.Other']),
  ),
  pretends('says that the bus is gone', ({ target }) =>
    signal(target, 'org.freedesktop.DBus.Local', 'Disconnected', '', []),
  ),
  pretends('speaks as polkit', ({ target }) =>
    signal(target, 'org.freedesktop.PolicyKit1.Authority', 'Changed', '', []),
  ),
  pretends('speaks as logind', ({ target }) =>
    signal(target, 'org.freedesktop.login1.Manager', 'SessionRemoved', 'so', [
      '1',
      '/org/freedesktop/login1',
    ]),
  ),
  pretends('speaks as the daemon', () => ({
    type: SIGNAL,
    fields: [
      field.path(ROOT_PATH),
      field.interface('org.freedesktop.DBus.ObjectManager'),
      field.member('InterfacesRemoved'),
      field.signature('oas'),
      field.sender(BUS_NAME),
    ],
    body: marshal('oas', [ROOT_PATH, []]),
  })),
  pretends('calls with the name of another as its own', ({ target }) => {
    const message = request('Allocate', CPU, PAGE);
    return { ...message, fields: [...(message.fields ?? []), field.sender(target)] };
  }),
  pretends(
    'answers what the daemon asked others',
    ({ target }, i) => {
      const { fields = [], ...rest } = unheard(REPLY, 'b', marshal('b', [true]), target);
      return { ...rest, fields: [...fields.filter(({ code }) => code !== 5), field.replySerial(i + 1)] };
    },
    1000,
  ),
  pretends(
    'refuses what the daemon asked others',
    ({ target }, i) => {
      const { fields = [], ...rest } = unheard(ERROR, 's', marshal('s', ['no']), target);
      return { ...rest, fields: [...fields.filter(({ code }) => code !== 5), field.replySerial(i + 1)] };
    },
    1000,
  ),
  pretends(
    'sends a thousand signals',
    ({ target }) => signal(target, 'org.example.X', 'Y', 's', ['z']),
    1000,
  ),
  pretends(
    'sends signals of a mebibyte',
    ({ target }) => signal(target, 'org.example.X', 'Y', 's', ['z'.repeat(2 ** 20)]),
    5,
  ),
  pretends('sends messages of types that there are not', ({ target }, i) => ({
    ...unheard(SIGNAL, 's', marshal('s', ['x']), target),
    type: 5 + (i % 250),
  })),
  asks('wants the name of the daemon', 'RequestName', 'su', [BUS_NAME, 4], [BUS_NAME, 0]),
  asks('releases the name of the daemon', 'ReleaseName', 's', [BUS_NAME]),
  asks('wants to see every message', 'AddMatch', 's', ...EVERYTHING.map((rule) => [rule])),
  pretends('wants to monitor the bus', () =>
    call({
      destination: DRIVER,
      path: '/org/freedesktop/DBus',
      interface: 'org.freedesktop.DBus.Monitoring',
      member: 'BecomeMonitor',
      signature: 'asu',
      body: [[], 0],
    }),
  ),
  asks(
    'adds 600 rules',
    'AddMatch',
    's',
    ...times(600, (i) => [`type='signal',sender='${BUS_NAME}',arg0='${i}'`]),
  ),
  asks(
    'adds rules that are none',
    'AddMatch',
    's',
    ["type='"],
    ['='],
    ["arg99='x'"],
    ["sender='".padEnd(5000, 'x')],
  ),
  asks('starts what there is not', 'StartServiceByName', 'su', ['org.example.Nothing', 0], [BUS_NAME, 0]),
  {
    title: 'listens to everything that the daemon says, and reads none of it',
    attack: async (attacker) => {
      const client = await attacker.connect();
      await client.callDriver('AddMatch', 's', [`type='signal',sender='${BUS_NAME}'`]);
      const list = call({ interface: 'org.freedesktop.DBus.ObjectManager', member: 'GetManagedObjects' });
      await attacker.send(client, [list]);
      const other = await attacker.connect();
      await attacker.send(
        other,
        times(100, () => request('Allocate', CPU, PAGE)),
      );
      await attacker.read(other, 100);
    },
  },
  {
    title: 'has thirty connections told of everything, and reads none of it',
    attack: async (attacker) => {
      const list = call({ interface: 'org.freedesktop.DBus.ObjectManager', member: 'GetManagedObjects' });
      for (const client of await attacker.connections(30)) await attacker.send(client, [list]);
      const other = await attacker.connect();
      await attacker.send(
        other,
        times(50, () => request('Allocate', CPU, PAGE)),
      );
      await attacker.read(other, 50);
    },
  },
];
