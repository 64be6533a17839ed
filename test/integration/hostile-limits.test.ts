import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { errorName, type ErrorCode } from '../../dbus/errors.js';
import { limitsOf, type LimitValues } from '../../dbus/limits.js';
import { expectError, HostileRig } from './hostile-rig.js';
import {
  b,
  CPU,
  cpu,
  image,
  o,
  PAGE,
  request,
  s,
  t,
  texts,
  u,
  uint64s,
  type Entry,
  type Key,
} from '../harness/hostile/values.js';

const U32 = 2 ** 32 - 1;
const U64 = 2n ** 64n - 1n;
const numbers = (count: number): readonly bigint[] => Array.from({ length: count }, (_, i) => BigInt(i));
const times = (count: number): readonly Entry[] => Array.from({ length: count }, () => cpu());

let rig: HostileRig;
beforeAll(async () => {
  rig = await HostileRig.start();
});
afterAll(async () => {
  await rig[Symbol.asyncDispose]();
});

/** Title, device list, buffer, error, and what its text must name. */
type Row = readonly [string, readonly Entry[], readonly Key[], ErrorCode, string];

/** Beyond what any memory has, or more than is given: an answer of Explain, an error of Allocate. */
const TOO_MUCH: readonly Row[] = [
  ['a pitch beyond 32 bits', CPU, image(u('width', U32)), 'Conflict', 'width 4294967295'],
  [
    'a size beyond 64 bits',
    [cpu(u('height-multiple', 2 ** 31))],
    image(u('width', U32), u('height', U32), s('format', 'YU12')),
    'Conflict',
    'height',
  ],
  [
    'a multiple beyond the size',
    [cpu(t('size-multiple', 2n ** 63n)), cpu(t('size-multiple', 3n))],
    PAGE,
    'Conflict',
    'size-multiple',
  ],
  [
    'pitch multiples beyond 32 bits',
    [cpu(u('pitch-multiple', U32)), cpu(u('pitch-multiple', U32 - 1))],
    image(),
    'Conflict',
    'pitch-multiple',
  ],
  ['a size rounded beyond 64 bits', [cpu(t('size-multiple', 4096n))], [t('size', U64)], 'Conflict', 'size'],
  ['a size of 2^64-1', CPU, [t('size', U64)], 'Conflict', 'size'],
  ['a size of 2^63', CPU, [t('size', 2n ** 63n)], 'Conflict', 'size'],
  // The largest that off_t holds.
  ['a size of 2^63-1', CPU, [t('size', 2n ** 63n - 1n)], 'QuotaExceeded', 'MaxBuffer'],
  [
    'an image of nearly 2^64 bytes',
    CPU,
    image(u('width', U32), u('height', U32), s('format', 'R8')),
    'Conflict',
    'height',
  ],
  ['protected memory for cpu', [cpu(b('protected', true))], PAGE, 'Conflict', 'protected'],
  ['memory below 2 bytes', [cpu(u('address-bits', 1))], PAGE, 'Conflict', 'address-bits 1'],
  ['a modifier that cpu cannot read', CPU, image(uint64s('modifiers', 1n)), 'Conflict', 'modifiers'],
  [
    'a total below what is held at once',
    [cpu(u('min-buffers', 8))],
    [...PAGE, u('total', 4)],
    'Conflict',
    'total 4',
  ],
];

describe('what is too much', () => {
  it.each(TOO_MUCH)('%s is refused by Allocate', async (_title, devices, buffer, code, says) => {
    await using attacker = await rig.connect();
    expectError(await rig.ask(attacker, request('Allocate', devices, buffer)), errorName(code), says);
    await rig.expectUnharmed();
  });

  it.each(TOO_MUCH)('%s is explained', async (_title, devices, buffer, code, says) => {
    await using attacker = await rig.connect();
    const answer = await rig.ask(attacker, request('Explain', devices, buffer));
    if (answer.kind !== 'reply') throw new Error(`Explain: ${JSON.stringify(answer)}`);
    const result = new Map(answer.body[0] as readonly [string, { value: unknown }][]);
    expect(result.get('feasible')?.value).toBe(code !== 'Conflict');
    const reasons = result.get(code === 'Conflict' ? 'conflicts' : 'limits')?.value;
    const [word = ''] = says.split(' ');
    const texts = JSON.stringify(reasons, (_key, value: unknown) =>
      typeof value === 'bigint' ? String(value) : value,
    );
    expect(texts).toContain(word);
    await rig.expectUnharmed();
  });
});

/** Of every limit a value that all others can live with. */
const MILD: Readonly<LimitValues> = {
  'pitch-multiple': 64,
  'width-multiple': 16,
  'pitch-exact': 64,
  'pitch-linked': true,
  'pitch-min': 1,
  'pitch-max': 65_536,
  'offset-multiple': 64,
  'planes-contiguous': false,
  'planes-apart': false,
  'height-multiple': 2,
  'size-multiple': 4096n,
  'size-min': 4096n,
  'size-extra': 64n,
  'max-width': 4096,
  'max-height': 4096,
  contiguous: false,
  protected: false,
  'address-bits': 64,
  'min-buffers': 0,
};
/** Every key of an entry. */
const FULL = cpu(
  texts('uses', 'read', 'write'),
  uint64s('modifiers', ...numbers(64)),
  ...limitsOf('u').map((key) => u(key, MILD[key])),
  ...limitsOf('t').map((key) => t(key, MILD[key])),
  ...limitsOf('b').map((key) => b(key, MILD[key])),
);

/** With how many buffers each gets; 'most' for as many as a reply has. */
const LARGEST: readonly (readonly [string, readonly Entry[], readonly Key[], number | 'most'])[] = [
  ['64 entries', times(64), image(), 1],
  ['every key in 64 entries', Array.from({ length: 64 }, () => FULL), image(), 1],
  ['4,096 modifiers', CPU, image(uint64s('modifiers', ...numbers(4096))), 1],
  ['16 buffers', CPU, [...PAGE, u('count', 16)], 16],
  ['a total of 2^32-1', CPU, [...PAGE, u('total', U32), u('count', 1)], 1],
  ['a total alone', CPU, [...PAGE, u('total', U32)], 'most'],
  ['a label of 31 bytes', CPU, [...PAGE, s('label', 'l'.repeat(31))], 1],
  ['needs that are false', [cpu(b('contiguous', false), b('protected', false))], PAGE, 1],
  ['a format without its spaces', CPU, image(s('format', 'R8')), 1],
  ['1 by 1', CPU, image(u('width', 1), u('height', 1)), 1],
];

describe.each([
  ['bus', 16],
  ['channel', 64],
] as const)('what is just within the limits, over the %s', (road, most) => {
  it.each(LARGEST)('%s is given', async (_title, devices, buffer, count) => {
    {
      await using attacker = await rig.connect(road);
      const answer = await rig.ask(attacker, request('Allocate', devices, buffer));
      expect(answer).toMatchObject({ kind: 'reply', fds: count === 'most' ? most : count });
    }
    await rig.expectUnharmed();
  });
});

describe('extends', () => {
  const others = [...PAGE, ...image(), u('total', 4), s('label', 'x'), uint64s('modifiers', 0n)];
  it.each(others)('with %s is refused', async (name, value) => {
    await using attacker = await rig.connect();
    const buffer = [o('extends', '/org/dmabroker1/allocation/x'), [name, value] as const];
    const answer = await rig.ask(attacker, request('Allocate', [], buffer));
    expectError(answer, errorName('InvalidRequest'), `buffer ${name}`);
    await rig.expectUnharmed();
  });

  it('with devices is refused', async () => {
    await using attacker = await rig.connect();
    const buffer = [o('extends', '/org/dmabroker1/allocation/x')];
    const answer = await rig.ask(attacker, request('Allocate', CPU, buffer));
    expectError(answer, errorName('InvalidRequest'), 'devices');
    await rig.expectUnharmed();
  });

  it.each(['/', '/org/dmabroker1', '/org/dmabroker1/allocation', '/org/dmabroker1/device/cpu', '/a/b'])(
    'of %s is refused',
    async (path) => {
      await using attacker = await rig.connect();
      const answer = await rig.ask(attacker, request('Allocate', [], [o('extends', path), u('count', 2)]));
      expectError(answer, errorName('UnknownAllocation'), 'no such allocation');
      await rig.expectUnharmed();
    },
  );

  it.each([[CPU], [[]]])('is refused by Explain', async (devices) => {
    await using attacker = await rig.connect();
    const answer = await rig.ask(attacker, request('Explain', devices, [o('extends', '/x')]));
    expectError(answer, errorName('InvalidRequest'), 'buffer extends');
    await rig.expectUnharmed();
  });
});
