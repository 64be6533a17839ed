import { BUS_NAME, ROOT_PATH } from '../../../dbus/names.js';
import { ERROR, field, marshal, REPLY, SIGNAL, type RawMessage } from '../raw-message.js';
import { call, CPU, image, PAGE, request, REQUEST_TYPE, s, type CallParts, type Key } from './values.js';

/**
 * What comes of a message: the daemon refuses it or takes it, or the bus ends the connection of its sender. Both kinds of bus
 * look into bodies; what they let through is for the daemon to find (test/dbus has the others, from a bus that looks at
 * nothing).
 */
export type Outcome = 'refused' | 'too much' | 'given' | 'ended';

/** Title, message, outcome. */
export type Row = readonly [string, RawMessage, Outcome];

const replaced = (bytes: Buffer, what: string, by: string | Buffer): Buffer => {
  const at = bytes.indexOf(what);
  if (at < 0) throw new Error(`no ${what} in the message`);
  const changed = Buffer.from(bytes);
  Buffer.from(by).copy(changed, at);
  return changed;
};
const allocate = (body: Buffer): RawMessage => call({ member: 'Allocate', signature: REQUEST_TYPE, body });
const requestBody = (...keys: readonly Key[]): Buffer => marshal(REQUEST_TYPE, [CPU, image(...keys)]);
const patched = (at: number, bytes: readonly number[], body = requestBody()): Buffer => {
  const changed = Buffer.from(body);
  Buffer.from(bytes).copy(changed, at < 0 ? changed.length + at : at);
  return changed;
};

/** A body whose one variant says to be of a type, with the bytes 0 behind it. */
const variantOf = (signature: string): RawMessage =>
  allocate(replaced(requestBody(s('label', 'x'.repeat(120))), '\u0001s\0', text(signature)));
/** A signature as a body has it. */
const text = (signature: string): Buffer =>
  Buffer.concat([Buffer.from([signature.length]), Buffer.from(signature), Buffer.alloc(1)]);

const nested = (depth: number): Key => {
  let value: readonly [string, unknown] = ['u', 1];
  for (let i = 0; i < depth; i++) value = ['v', value];
  return ['width', value as Key[1]];
};

const BODIES: readonly Row[] = [
  [
    'text that is not UTF-8',
    allocate(replaced(requestBody(), 'XR24', Buffer.from([0xc3, 0x28, 0xff, 0xfe]))),
    'ended',
  ],
  [
    'an overlong NUL in a text',
    allocate(replaced(requestBody(), 'XR24', Buffer.from([0xc0, 0x80, 0x41, 0x41]))),
    'ended',
  ],
  [
    'a surrogate in a text',
    allocate(replaced(requestBody(), 'XR24', Buffer.from([0x41, 0xed, 0xa0, 0x80]))),
    'ended',
  ],
  ['a NUL in a text', allocate(replaced(requestBody(), 'XR24', 'X\0R2')), 'ended'],
  ['a NUL in a label', request('Allocate', CPU, [...PAGE, s('label', 'a\0b')]), 'ended'],
  ['a boolean of 2', request('Allocate', [['cpu', [['contiguous', ['b', 2]]]]], PAGE), 'ended'],
  ['a path that is none', request('Allocate', [], [['extends', ['o', 'no/path/']]]), 'ended'],
  ['a path with ..', request('Allocate', [], [['extends', ['o', '/org/../x']]]), 'ended'],
  ['an array longer than the body', allocate(patched(0, [0xff, 0xff, 0, 0])), 'ended'],
  ['an array of 2^32-1 bytes', allocate(patched(0, [0xff, 0xff, 0xff, 0xff])), 'ended'],
  ['an array that ends inside of an element', allocate(patched(0, [9, 0, 0, 0])), 'ended'],
  ['a text longer than the body', allocate(patched(8, [0xff, 0xff, 0, 0])), 'ended'],
  ['padding that is not 0', allocate(patched(4, [1])), 'ended'],
  ['a body that ends early', allocate(requestBody().subarray(0, -6)), 'ended'],
  ['a body that goes on', allocate(Buffer.concat([requestBody(), Buffer.alloc(8)])), 'ended'],
  ['an empty body', allocate(Buffer.alloc(0)), 'ended'],
  ['variants 70 deep', request('Allocate', CPU, image(nested(70))), 'ended'],
  ['a variant with no type', variantOf(''), 'ended'],
  ['a variant of two types', variantOf('uu'), 'ended'],
  ['a variant of an unknown type', variantOf('z'), 'ended'],
  ['a variant of 33 arrays', variantOf(`${'a'.repeat(33)}u`), 'ended'],
  ['a variant of 33 structures', variantOf(`${'('.repeat(33)}u${')'.repeat(33)}`), 'ended'],
  ['a variant that is not closed', variantOf('a{s'), 'ended'],
  ['a variant closed twice', variantOf('(u))'), 'ended'],
  ['a variant of an empty structure', variantOf('()'), 'ended'],
  ['a variant of an empty dictionary', variantOf('a{}'), 'ended'],
  ['a variant of a dictionary without a value', variantOf('a{s}'), 'ended'],
  ['a variant of a dictionary by variants', variantOf('a{vu}'), 'ended'],
  ['a variant of an entry without its array', variantOf('{su}'), 'ended'],
];

/** No bus compares indices with the fds that there are. */
const NO_FD: readonly Row[] = [
  ['an fd index without an fd', call({ member: 'Release', signature: 'h', body: [0] }), 'refused'],
  ['an fd index of 2^32-1', call({ member: 'Release', signature: 'h', body: [2 ** 32 - 1] }), 'refused'],
  ['fd indices in a list', call({ member: 'Release', signature: 'ah', body: [[0, 1, 2]] }), 'refused'],
  ['an fd index in a variant of the buffer', request('Allocate', CPU, image(['width', ['h', 0]])), 'refused'],
  [
    'an fd index in a variant of an entry',
    request('Allocate', [['cpu', [['uses', ['ah', [7]]]]]], PAGE),
    'refused',
  ],
  [
    'an fd index to Ping',
    call({ interface: 'org.freedesktop.DBus.Peer', member: 'Ping', signature: 'h', body: [0] }),
    'refused',
  ],
];

const LARGE: readonly Row[] = [
  ['an object path of 70,000 bytes', call({ path: `/${'a'.repeat(70_000)}`, member: 'Reload' }), 'too much'],
  ['an object path of a mebibyte', call({ path: `/${'a'.repeat(2 ** 20)}`, member: 'Reload' }), 'too much'],
  ['a text of a mebibyte', request('Allocate', [['d'.repeat(2 ** 20), []]], PAGE), 'too much'],
  [
    '40,000 values',
    call({ member: 'Release', signature: 'ay', body: [Array.from({ length: 40_000 }, () => 0)] }),
    'too much',
  ],
  [
    '40,000 modifiers',
    request('Allocate', CPU, image(['modifiers', ['at', Array.from({ length: 40_000 }, () => 0n)]])),
    'too much',
  ],
];

const signed = (signature: string): RawMessage =>
  call({ member: 'Release', signature, body: Buffer.alloc(16) });
const withFields = (message: RawMessage, ...codes: readonly number[]): RawMessage => ({
  ...message,
  fields: (message.fields ?? []).filter(({ code }) => !codes.includes(code)),
});
const good = request('Allocate', CPU, PAGE);
const more = (extra: CallParts['extra'] = []): RawMessage => request('Allocate', CPU, PAGE, extra);

const HEADERS: readonly Row[] = [
  ['a signature of 33 arrays', signed(`${'a'.repeat(33)}u`), 'ended'],
  ['a signature of 33 structures', signed(`${'('.repeat(33)}u${')'.repeat(33)}`), 'ended'],
  ['a signature that is not closed', signed('((u)'), 'ended'],
  ['a signature of an empty dictionary', signed('a{}'), 'ended'],
  ['a signature of a dictionary without a value', signed('a{s}'), 'ended'],
  ['a signature of a dictionary by variants', signed('a{vs}'), 'ended'],
  ['a signature of an unknown type', signed('!'), 'ended'],
  ['a signature of an array of nothing', signed('a'), 'ended'],
  ['a signature of 255 bytes that the body has not', signed('u'.repeat(255)), 'ended'],
  ['a body without a signature', withFields(good, 8), 'ended'],
  ['no path', withFields(good, 1), 'ended'],
  ['no member', withFields(good, 3), 'ended'],
  ['a call to a path that is none', call({ path: 'org//x', member: 'Reload' }), 'ended'],
  ['a member that is none', call({ member: 'Re.load' }), 'ended'],
  ['a member of 256 bytes', call({ member: 'm'.repeat(256) }), 'ended'],
  ['an interface that is none', call({ interface: 'x', member: 'Reload' }), 'ended'],
  ['a path that is a text', more([{ code: 1, signature: 's', value: '/x' }]), 'ended'],
  ['a serial of 0', { ...good, serial: 0 }, 'ended'],
  ['another protocol', { ...good, version: 2 }, 'ended'],
  ['another byte order', { ...good, order: 'x' }, 'ended'],
  ['a type of 0', { ...good, type: 0 }, 'ended'],
  ['a body of 2^32-1 bytes', { ...good, bodyLength: 2 ** 32 - 1 }, 'ended'],
  ['fields of 2^32-1 bytes', { ...good, fieldsLength: 2 ** 32 - 1 }, 'ended'],
  ['fds that did not come', more([field.unixFds(1)]), 'ended'],
];

const UNUSUAL: readonly Row[] = [
  ['flags that nobody knows', { ...good, flags: 0xf0 }, 'given'],
  ['a field that nobody knows', more([{ code: 200, signature: 'a{sv}', value: [] }]), 'given'],
];

/** Every message that is a case by itself. */
export const ROWS: readonly Row[] = [...BODIES, ...NO_FD, ...LARGE, ...HEADERS, ...UNUSUAL];

/** A message to the daemon that it never asked for. @param target its unique name */
export const unheard = (type: number, signature: string, body: Buffer, target: string): RawMessage => ({
  type,
  fields: [
    ...(type === SIGNAL
      ? [field.path(ROOT_PATH), field.interface(`${BUS_NAME}.Broker`), field.member('X')]
      : [field.replySerial(1)]),
    ...(type === ERROR ? [field.errorName('org.example.X')] : []),
    field.destination(target),
    field.signature(signature),
  ],
  body,
});
const UNHEARD_BODIES = [
  ['an fd index', 'h', marshal('h', [0])],
  ['an fd index in a variant', 'v', marshal('v', [['ah', [0, 9]]])],
  ['an fd index in a dictionary', 'a{sv}', marshal('a{sv}', [[['x', ['h', 1]]]])],
  ['a mebibyte', 's', marshal('s', ['x'.repeat(2 ** 20)])],
] as const;
const TYPES = [
  ['a signal', SIGNAL],
  ['a reply', REPLY],
  ['an error', ERROR],
  ['a message of another type', 9],
] as const;
/** Kind, what is in it, type, signature and body of messages that nobody listens to. */
export const UNHEARD = TYPES.flatMap(([kind, type]) =>
  UNHEARD_BODIES.map(([what, signature, body]) => [kind, what, type, signature, body] as const),
);
