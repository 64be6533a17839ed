import { afterAll, beforeAll, describe, it } from 'vitest';

import { errorName, type ErrorCode } from '../../dbus/errors.js';
import { ALL_LIMITS, limitRow, limitsOf } from '../../dbus/limits.js';
import type { RawValue } from '../harness/raw-message.js';
import { expectError, HostileRig } from './hostile-rig.js';
import {
  CPU,
  cpu,
  image,
  imageWithout,
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
const MOD_INVALID = 2n ** 56n - 1n;
const numbers = (count: number): readonly bigint[] => Array.from({ length: count }, (_, i) => BigInt(i));
const times = (count: number): readonly Entry[] => Array.from({ length: count }, () => cpu());
const keys = (count: number): readonly Key[] => Array.from({ length: count }, (_, i) => u(`key-${i}`, i));

let rig: HostileRig;
beforeAll(async () => {
  rig = await HostileRig.start();
});
afterAll(async () => {
  await rig[Symbol.asyncDispose]();
});

/** Title, device list, buffer, error, and what its text must name. */
type Row = readonly [string, readonly Entry[], readonly Key[], ErrorCode, string];

/** Wrong whoever asks, so that Explain refuses them too. */
const WRONG: readonly Row[] = [
  ['an unknown key of the buffer', CPU, image(u('heigth', 1)), 'InvalidRequest', '"heigth"'],
  ['an unknown key of an entry', [cpu(), cpu(u('pitch', 1))], image(), 'InvalidRequest', 'devices[1]'],
  ['__proto__ of the buffer', CPU, image(u('__proto__', 1)), 'InvalidRequest', '"__proto__"'],
  ['constructor of the buffer', CPU, image(s('constructor', 'x')), 'InvalidRequest', '"constructor"'],
  ['__proto__ of an entry', [cpu(u('__proto__', 1))], image(), 'InvalidRequest', '"__proto__"'],
  ['toString of an entry', [cpu(u('toString', 1))], image(), 'InvalidRequest', '"toString"'],
  ['an empty key', CPU, image(u('', 1)), 'InvalidRequest', '""'],
  ['a key of control characters', CPU, image(u('\u001b[2J\u0085', 1)), 'InvalidRequest', 'buffer'],
  ['a long key', CPU, image(u('k'.repeat(100_000), 1)), 'InvalidRequest', 'buffer'],
  ['a key twice in the buffer', CPU, [...image(), u('width', 64)], 'InvalidRequest', 'buffer width'],
  [
    'a key twice in an entry',
    [cpu(u('pitch-min', 1), u('pitch-min', 1))],
    image(),
    'InvalidRequest',
    'pitch-min',
  ],
  ['no width', CPU, imageWithout('width'), 'InvalidRequest', 'buffer width'],
  ['no height', CPU, imageWithout('height'), 'InvalidRequest', 'buffer height'],
  ['no format', CPU, imageWithout('format'), 'InvalidRequest', 'buffer format'],
  ['an empty buffer', CPU, [], 'InvalidRequest', 'buffer width'],
  ['a width of 0', CPU, image(u('width', 0)), 'InvalidRequest', 'buffer width'],
  ['a height of 0', CPU, image(u('height', 0)), 'InvalidRequest', 'buffer height'],
  ['a size of 0', CPU, [t('size', 0n)], 'InvalidRequest', 'buffer size'],
  ['an image and a size', CPU, image(t('size', 4096n)), 'InvalidRequest', 'buffer width'],
  ['modifiers and a size', CPU, [...PAGE, uint64s('modifiers', 0n)], 'InvalidRequest', 'buffer modifiers'],
  ['an image limit and a size', [cpu(u('max-width', 1))], PAGE, 'InvalidRequest', 'devices[0] max-width'],
  ['a count of 0', CPU, [...PAGE, u('count', 0)], 'InvalidRequest', 'buffer count'],
  ['a count of 17', CPU, [...PAGE, u('count', 17)], 'TooManyBuffers', 'buffer count'],
  ['a count of 2^32-1', CPU, [...PAGE, u('count', U32)], 'TooManyBuffers', 'buffer count'],
  ['a total of 0', CPU, [...PAGE, u('total', 0)], 'InvalidRequest', 'buffer total'],
  ['a total below the count', CPU, [...PAGE, u('count', 2), u('total', 1)], 'InvalidRequest', 'buffer total'],
  ['17 buffers held at once', [cpu(u('min-buffers', 17))], PAGE, 'TooManyBuffers', '17'],
  [
    'min-buffers beyond 32 bits',
    [cpu(u('min-buffers', U32)), cpu(u('min-buffers', U32))],
    PAGE,
    'TooManyBuffers',
    '8589934590',
  ],
  ['a format nobody has heard of', CPU, image(s('format', 'ZZZZ')), 'UnsupportedFormat', '"ZZZZ"'],
  ['a format too long', CPU, image(s('format', 'XR24X')), 'InvalidRequest', 'buffer format'],
  ['an empty format', CPU, image(s('format', '')), 'InvalidRequest', 'buffer format'],
  ['a format of spaces', CPU, image(s('format', '    ')), 'InvalidRequest', 'buffer format'],
  ['a format that starts with a space', CPU, image(s('format', ' R24')), 'InvalidRequest', 'buffer format'],
  ['a format with a line end', CPU, image(s('format', 'R8\n')), 'InvalidRequest', 'buffer format'],
  ['a format beyond ASCII', CPU, image(s('format', 'ÄR24')), 'InvalidRequest', 'buffer format'],
  ['a device that is not there', [['/dev/dri/card9', []]], image(), 'UnknownDevice', '"/dev/dri/card9"'],
  ['a number that is not there', [['226:99', []]], image(), 'UnknownDevice', '"226:99"'],
  ['a way round to a device', [['/dev/dri/../dri/card0', []]], image(), 'UnknownDevice', '..'],
  ['a file', [['/etc/passwd', []]], image(), 'UnknownDevice', '"/etc/passwd"'],
  ['a heap', [['/dev/dma_heap/system', []]], image(), 'UnknownDevice', '"/dev/dma_heap/system"'],
  ['a device with no name', [['', []]], image(), 'UnknownDevice', '""'],
  ['a device named __proto__', [['__proto__', []]], image(), 'UnknownDevice', '"__proto__"'],
  [
    'a device of control characters',
    [['\u001b[2J\u007f\u0085', []]],
    image(),
    'UnknownDevice',
    '\\u{1b}[2J\\u{7f}\\u{85}',
  ],
  ['a device object that is not there', [['/org/dmabroker1/device/x', []]], image(), 'UnknownDevice', '/x'],
  ['a device of 255 bytes', [['d'.repeat(255), []]], image(), 'UnknownDevice', 'ddd'],
  ['a device of 256 bytes', [['d'.repeat(256), []]], image(), 'InvalidRequest', 'devices[0]'],
  ['a device of 10,000 bytes', [['d'.repeat(10_000), []]], image(), 'InvalidRequest', 'devices[0]'],
  ['no device', [], image(), 'InvalidRequest', 'devices'],
  ['65 entries', times(65), image(), 'InvalidRequest', 'devices: 65 entries'],
  ['32 keys, all unknown', [cpu(...keys(32))], image(), 'InvalidRequest', '"key-0"'],
  ['33 keys', [cpu(...keys(33))], image(), 'InvalidRequest', 'devices[0]: 33 keys'],
  ['33 keys of the buffer', CPU, keys(33), 'InvalidRequest', 'buffer: 33 keys'],
  ['no modifier', CPU, image(uint64s('modifiers')), 'InvalidRequest', 'buffer modifiers'],
  ['no modifier of an entry', [cpu(uint64s('modifiers'))], image(), 'InvalidRequest', 'devices[0] modifiers'],
  [
    'DRM_FORMAT_MOD_INVALID',
    CPU,
    image(uint64s('modifiers', 0n, MOD_INVALID)),
    'InvalidRequest',
    'buffer modifiers: DRM_FORMAT_MOD_INVALID',
  ],
  [
    'DRM_FORMAT_MOD_INVALID of an entry',
    [cpu(uint64s('modifiers', MOD_INVALID))],
    image(),
    'InvalidRequest',
    'devices[0] modifiers: DRM_FORMAT_MOD_INVALID',
  ],
  ['4,097 modifiers', CPU, image(uint64s('modifiers', ...numbers(4097))), 'InvalidRequest', '4096 modifiers'],
  [
    '4,097 modifiers in two places',
    [cpu(uint64s('modifiers', ...numbers(4096)))],
    image(uint64s('modifiers', 0n)),
    'InvalidRequest',
    'buffer modifiers',
  ],
  ['an unknown use', [cpu(texts('uses', 'paint'))], image(), 'InvalidRequest', 'devices[0] uses'],
  ['no use', [cpu(texts('uses'))], image(), 'InvalidRequest', 'devices[0] uses'],
  ['a use of 256 bytes', [cpu(texts('uses', 'u'.repeat(256)))], image(), 'InvalidRequest', 'devices[0] uses'],
  ['a use that cpu does not have', [cpu(texts('uses', 'scanout'))], image(), 'InvalidRequest', 'uses: cpu'],
  ['address bits of 0', [cpu(u('address-bits', 0))], image(), 'InvalidRequest', 'devices[0] address-bits'],
  ['address bits of 65', [cpu(u('address-bits', 65))], image(), 'InvalidRequest', 'devices[0] address-bits'],
  ['a label of 32 bytes', CPU, [...PAGE, s('label', 'l'.repeat(32))], 'InvalidRequest', 'buffer label'],
  ['a label of 32 bytes in 16', CPU, [...PAGE, s('label', 'ä'.repeat(16))], 'InvalidRequest', 'buffer label'],
  ['a label with an escape', CPU, [...PAGE, s('label', '\u001b[2J')], 'InvalidRequest', 'buffer label'],
  ['a label with a DEL', CPU, [...PAGE, s('label', 'a\u007f')], 'InvalidRequest', 'buffer label'],
  ['a label with a C1 control', CPU, [...PAGE, s('label', 'a\u0085')], 'InvalidRequest', 'buffer label'],
];

/** Limits of 32 bits of which none is nothing to say. */
const FROM_1 = limitsOf('u').filter((name) => !['pitch-min', 'min-buffers'].includes(name));
const ZEROES: readonly Row[] = [
  ...FROM_1.map((name): Row => [
    `${name} of 0`,
    [cpu(u(name, 0))],
    image(),
    'InvalidRequest',
    `devices[0] ${name}`,
  ]),
  ...limitsOf('t').map((name): Row => [
    `${name} of 0`,
    [cpu(t(name, 0n))],
    image(),
    'InvalidRequest',
    `devices[0] ${name}`,
  ]),
];

/** Type of every key of the contract. */
const BUFFER_TYPES: Readonly<Record<string, string>> = {
  width: 'u',
  height: 'u',
  format: 's',
  modifiers: 'at',
  size: 't',
  count: 'u',
  total: 'u',
  label: 's',
  extends: 'o',
};
const ENTRY_TYPES: Readonly<Record<string, string>> = {
  ...Object.fromEntries(ALL_LIMITS.map((name) => [name, limitRow(name).type])),
  uses: 'as',
  modifiers: 'at',
  formats: 'a(sat)',
};
const SAMPLES: readonly (readonly [string, RawValue])[] = [
  ['y', 1],
  ['i', 1],
  ['u', 1],
  ['x', 1n],
  ['t', 1n],
  ['d', 1],
  ['b', true],
  ['s', 'read'],
  ['o', '/x'],
  ['g', 'u'],
  ['as', ['read']],
  ['au', [0]],
  ['at', [0n]],
  ['ay', [1]],
  ['a{sv}', []],
  ['(u)', [1]],
  ['v', ['u', 1]],
];
const wrongTypes = (type: string): typeof SAMPLES => SAMPLES.filter(([other]) => other !== type);
const MISTYPED: readonly Row[] = [
  ...Object.entries(BUFFER_TYPES).flatMap(([name, type]) =>
    wrongTypes(type).map((sample): Row => [
      `${name} of type ${sample[0]}`,
      CPU,
      image([name, sample]),
      'InvalidRequest',
      `buffer ${name}: type "${sample[0]}" was given, ${type} is accepted`,
    ]),
  ),
  ...Object.entries(ENTRY_TYPES).flatMap(([name, type]) =>
    wrongTypes(type).map((sample): Row => [
      `an entry's ${name} of type ${sample[0]}`,
      [cpu(), cpu([name, sample])],
      image(),
      'InvalidRequest',
      `devices[1] ${name}: type "${sample[0]}" was given, ${type} is accepted`,
    ]),
  ),
];

describe.each([
  ['Allocate', 'bus'],
  ['Explain', 'bus'],
  ['Allocate', 'channel'],
] as const)('%s refuses, over the %s', (member, road) => {
  // What is too much for a reply of the bus is not for one of a channel.
  const rows = WRONG.filter(([, , , code]) => road === 'bus' || code !== 'TooManyBuffers');
  it.each([...rows, ...ZEROES, ...MISTYPED])('%s', async (_title, devices, buffer, code, says) => {
    {
      await using attacker = await rig.connect(road);
      expectError(await rig.ask(attacker, request(member, devices, buffer)), errorName(code), says);
    }
    await rig.expectUnharmed();
  });
});
