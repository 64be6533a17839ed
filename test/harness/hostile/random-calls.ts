import { ALL_LIMITS } from '../../../dbus/limits.js';
import {
  ALLOCATION_INTERFACE,
  BROKER_INTERFACE,
  DEVICE_INTERFACE,
  POOL_INTERFACE,
  ROOT_PATH,
} from '../../../dbus/names.js';
import { BROKER } from '../../../daemon/bus/contract.js';
import { marshal, type RawMessage, type RawValue } from '../raw-message.js';
import { call, REQUEST_TYPE } from './values.js';

/** A number from 0 to below 1. */
export type Random = () => number;

const BASIC = Array.from('ybnqiuxtdsogh');
const MAX_DEPTH = 4;
const INTERFACES = [
  BROKER_INTERFACE,
  DEVICE_INTERFACE,
  POOL_INTERFACE,
  ALLOCATION_INTERFACE,
  'org.freedesktop.DBus.Peer',
  'org.freedesktop.DBus.Properties',
  'org.freedesktop.DBus.Introspectable',
  'org.freedesktop.DBus.ObjectManager',
  '',
];
/** Members with the signature that they take. */
const MEMBERS: readonly (readonly [string, string])[] = [
  ...Object.entries(BROKER.methods)
    // What reads files or changes limits is an administrator's, which the test is.
    .filter(([name]) => name !== 'Reload' && name !== 'SetPoolLimit')
    .map(([name, { in: args }]): [string, string] => [name, Object.values(args).join('')]),
  ['Get', 'ss'],
  ['GetAll', 's'],
  ['Set', 'ssv'],
  ['Ping', ''],
  ['GetMachineId', ''],
  ['Introspect', ''],
  ['GetManagedObjects', ''],
  ['Nonsense', ''],
];
const BUFFER_KEYS = [
  'size',
  'width',
  'height',
  'format',
  'count',
  'extends',
  'label',
  'modifiers',
  'error-data',
];
const ENTRY_KEYS = ['uses', 'formats', 'modifiers', ...ALL_LIMITS];
const WORDS = [
  'cpu',
  '/dev/dri/card0',
  '/dev/video0',
  'read',
  'scanout',
  'XR24',
  'NV12',
  '',
  '__proto__',
  '\u0000',
  '🙂',
];
const NUMBERS = [
  0,
  1,
  2,
  3,
  64,
  255,
  4096,
  65_535,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32 - 1,
  2 ** 53,
  2 ** 63,
  2 ** 64,
];

const pick = <T>(random: Random, list: readonly T[]): T => {
  const found = list[Math.floor(random() * list.length)];
  if (found === undefined) throw new RangeError('nothing to pick from');
  return found;
};

const some = <T>(random: Random, most: number, make: () => T): readonly T[] =>
  Array.from({ length: Math.floor(random() * (most + 1)) }, make);

/** One complete type. */
function randomType(random: Random, depth = 0): string {
  const kind = random();
  if (depth >= MAX_DEPTH || kind < 0.6) return pick(random, BASIC);
  const inner = (): string => randomType(random, depth + 1);
  if (kind < 0.7) return 'v';
  if (kind < 0.8) return `a${inner()}`;
  if (kind < 0.9) return `a{${pick(random, BASIC)}${inner()}}`;
  return `(${inner()}${some(random, 2, inner).join('')})`;
}

/** The complete types of a signature. */
function typesOf(signature: string): readonly string[] {
  const types: string[] = [];
  let start = 0;
  let depth = 0;
  for (const [i, char] of Array.from(signature).entries()) {
    if ('({'.includes(char)) depth += 1;
    if (')}'.includes(char)) depth -= 1;
    if (depth > 0 || char === 'a') continue;
    types.push(signature.slice(start, i + 1));
    start = i + 1;
  }
  return types;
}

/** A value of a type. */
function valueOf(random: Random, type: string): RawValue {
  const [char = ''] = type;
  if (char === 'a') return some(random, 3, () => valueOf(random, type.slice(1)));
  if (char === '(' || char === '{') return typesOf(type.slice(1, -1)).map((inner) => valueOf(random, inner));
  if (char === 'v') {
    const inner = randomType(random, MAX_DEPTH - 1);
    return [inner, valueOf(random, inner)];
  }
  if (char === 'o') return pick(random, [ROOT_PATH, '/', '/a/b', `${ROOT_PATH}/device/cpu`, 'no path']);
  if (char === 'g') return pick(random, ['', 's', 'a{sv}', 'not one']);
  if (char === 's') return pick(random, WORDS);
  if (char === 'b') return pick(random, [0, 1, 2]);
  const number = pick(random, NUMBERS);
  return char === 'd' ? number : BigInt(number) * (random() < 0.1 ? -1n : 1n);
}

const dictionary = (random: Random, keys: readonly string[]): RawValue =>
  some(random, 6, () => [pick(random, keys), valueOf(random, 'v')]);

/** The arguments of `Allocate` with keys that exist, and values that may not be what they take. */
const requestValues = (random: Random): readonly RawValue[] => [
  some(random, 4, () => [pick(random, WORDS), dictionary(random, ENTRY_KEYS)]),
  [
    ...(random() < 0.5 ? [['size', ['t', BigInt(pick(random, [1, 4096, 2 ** 40]))]]] : []),
    ...(dictionary(random, BUFFER_KEYS) as readonly RawValue[]),
  ],
];

/** A call that may be right in any of its parts. Now and then its bytes are not what its signature says. */
export function randomCall(random: Random, paths: readonly string[]): RawMessage {
  const [member, right] = pick(random, MEMBERS);
  const isRight = random() < 0.6;
  const signature = isRight ? right : some(random, 3, () => randomType(random)).join('');
  const values =
    signature === REQUEST_TYPE && random() < 0.7
      ? requestValues(random)
      : typesOf(signature).map((type) => valueOf(random, type));
  const body = marshal(signature, values);
  if (random() < 0.1 && body.length > 0)
    body[Math.floor(random() * body.length)] = Math.floor(random() * 256);
  return call({
    path: pick(random, paths),
    interface: pick(random, INTERFACES),
    member,
    signature,
    body: random() < 0.05 ? body.subarray(0, Math.floor(random() * body.length)) : body,
  });
}
