import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { unknownAllocation } from '../../../daemon/broker/refusal.js';
import { readAllocate, readExplain, Requests } from '../../../daemon/bus/request.js';
import type { FieldProblem } from '../../../daemon/bus/wire-values.js';
import type { WireValue, WireVariant } from '../../../dbus/connection/bus-types.js';
import { BrokerError } from '../../../dbus/errors.js';
import { ALL_LIMITS, LIMIT_TABLE, limitsOf } from '../../../dbus/limits.js';
import { LIMITS, USES } from '../../../dbus/names.js';
import { quote } from '../../../dbus/quote.js';
import { naming } from '../../harness/naming.js';
import { as, at, b, device, dict, IMAGE, s, sat, t, u, v, type Keys } from './wire.js';

const ALLOCATION = '/org/dmabroker1/allocation/a1';
const idAt = (path: string): string | undefined => (path === ALLOCATION ? 'a1' : undefined);
const allocate = (devices: WireValue, buffer: WireValue): unknown => readAllocate([devices, buffer], idAt);

/** One entry with these keys, and an image. */
const entryOf = (keys: Keys): unknown => allocate([device('cpu', keys)], dict(IMAGE));
/** A buffer with these keys, for one device. */
const bufferOf = (keys: Keys): unknown => allocate([device('cpu')], dict(keys));
const imageWith = (keys: Keys): unknown => bufferOf({ ...IMAGE, ...keys });

function refusal(read: () => unknown): BrokerError {
  try {
    read();
  } catch (error) {
    if (error instanceof BrokerError) return error;
    throw error;
  }
  throw new Error('it was accepted');
}

/** @param values that the message names beside the field */
const invalid = (field: string, problem: FieldProblem, ...values: readonly (string | number)[]): object => ({
  code: 'InvalidRequest',
  field,
  problem,
  message: expect.stringMatching(naming(field, ...values)) as string,
});

describe('what is accepted', () => {
  test('the formats that a device takes, each with its modifiers', () => {
    const entry = entryOf({ formats: sat(['R8', []], ['XR24', [0n, 1n]]) });
    expect(entry).toMatchObject({
      entries: [
        {
          limits: {},
          formats: [
            { format: 'R8  ', modifiers: [] },
            { format: 'XR24', modifiers: [0n, 1n] },
          ],
        },
      ],
    });
  });

  test('an image for several devices, with everything that can be said', () => {
    const devices = [
      device('/dev/dri/card0', {
        uses: as('scanout', 'render', 'scanout'),
        modifiers: at(0n, 0x0100000000000001n),
        'pitch-multiple': u(192),
        'pitch-exact': u(256),
        'pitch-linked': b(true),
        'pitch-min': u(0),
        'pitch-max': u(2 ** 32 - 1),
        'offset-multiple': u(4096),
        'height-multiple': u(16),
        'size-multiple': t(2n ** 64n - 1n),
        'max-width': u(8192),
        'max-height': u(1),
        contiguous: b(false),
        protected: b(true),
        'address-bits': u(64),
        'min-buffers': u(0),
      }),
      device('/dev/dri/card0'),
      device('226:0'),
    ];
    const buffer = { ...IMAGE, modifiers: at(0n), count: u(16), total: u(17), label: s('Länge') };
    expect(allocate(devices, dict(buffer))).toEqual({
      entries: [
        {
          device: '/dev/dri/card0',
          uses: ['scanout', 'render'],
          limits: {
            modifiers: [0n, 0x0100000000000001n],
            'pitch-multiple': 192,
            'pitch-exact': 256,
            'pitch-linked': true,
            'pitch-min': 0,
            'pitch-max': 2 ** 32 - 1,
            'offset-multiple': 4096,
            'height-multiple': 16,
            'size-multiple': 2n ** 64n - 1n,
            'max-width': 8192,
            'max-height': 1,
            contiguous: false,
            protected: true,
            'address-bits': 64,
            'min-buffers': 0,
          },
        },
        { device: '/dev/dri/card0', limits: {} },
        { device: '226:0', limits: {} },
      ],
      content: { format: 'XR24', width: 640, height: 480, modifiers: [0n] },
      count: 16,
      total: 17,
      label: 'Länge',
    });
  });

  test('memory with no image, and the limits that it can keep', () => {
    const keys = {
      'size-multiple': t(4096n),
      contiguous: b(true),
      protected: b(false),
      'address-bits': u(1),
    };
    expect(allocate([device('cpu', { ...keys, 'min-buffers': u(2) })], dict({ size: t(1n) }))).toEqual({
      entries: [
        {
          device: 'cpu',
          limits: {
            'size-multiple': 4096n,
            contiguous: true,
            protected: false,
            'address-bits': 1,
            'min-buffers': 2,
          },
        },
      ],
      content: { size: 1n },
    });
  });

  test('an extension, with and without a count', () => {
    const path = v('o', ALLOCATION);
    expect(allocate([], dict({ extends: path }))).toEqual({ extends: 'a1' });
    expect(allocate([], dict({ extends: path, count: u(3) }))).toEqual({ extends: 'a1', count: 3 });
  });

  test('Explain reads the same request', () => {
    const body = [[device('cpu', { uses: as('read') })], dict({ ...IMAGE, count: u(2) })];
    expect(readExplain(body)).toEqual(readAllocate(body, idAt));
  });

  test.each([
    ['R8', 'R8  '],
    ['R8  ', 'R8  '],
    ['NV12', 'NV12'],
    ['r', 'r   '],
    ['???~', '???~'],
  ])('the fourcc %j is %j', (given, padded) => {
    expect(imageWith({ format: s(given) })).toHaveProperty('content.format', padded);
  });

  test('all that the limits allow at once', () => {
    const modifiers = Array.from({ length: LIMITS.modifiersPerCall - 1 }, (_, i) => BigInt(i));
    const devices = Array.from({ length: LIMITS.entries }, (_, i) =>
      device('d'.repeat(LIMITS.stringLength), i === 0 ? { modifiers: at(...modifiers) } : {}),
    );
    expect(allocate(devices, dict({ ...IMAGE, modifiers: at(0n) }))).toHaveProperty('entries.63');
    expect(imageWith({ label: s('ö'.repeat(15) + 'x') })).toHaveProperty('label.15');
  });
});

describe('refused keys of an entry', () => {
  // The table says of these two that none is something to say.
  const NONE_IS_SAID = ['pitch-min', 'min-buffers'];
  test.each(limitsOf('u').filter((key) => !NONE_IS_SAID.includes(key)))('%s 0', (key) => {
    expect(refusal(() => entryOf({ [key]: u(0) }))).toMatchObject(
      invalid(`devices[0] ${key}`, 'out-of-range', 0, 1),
    );
  });

  test.each<[string, Keys, Parameters<typeof invalid>]>([
    ['size-multiple 0', { 'size-multiple': t(0n) }, ['devices[0] size-multiple', 'out-of-range', 0]],
    ['address-bits 65', { 'address-bits': u(65) }, ['devices[0] address-bits', 'out-of-range', 65, 1, 64]],
    ['no modifiers', { modifiers: at() }, ['devices[0] modifiers', 'empty']],
    [
      'an implicit modifier',
      { modifiers: at(0n, 0x00ff_ffff_ffff_ffffn) },
      ['devices[0] modifiers', 'unknown-value', 'DRM_FORMAT_MOD_INVALID'],
    ],
    ['no uses', { uses: as() }, ['devices[0] uses', 'empty', ...USES]],
    [
      'an unknown use',
      { uses: as('read', 'scan\nout') },
      ['devices[0] uses', 'unknown-value', '"scan\\u{a}out"', ...USES],
    ],
    ['an unknown key', { pitch: u(1) }, ['devices[0]', 'unknown-key', '"pitch"', 'uses', 'modifiers']],
    ['no formats', { formats: sat() }, ['devices[0] formats', 'empty']],
    [
      'a format twice, with and without its spaces',
      { formats: sat(['R8', []], ['R8  ', [0n]]) },
      ['devices[0] formats', 'repeated', 'R8'],
    ],
    [
      'no fourcc in a list of formats',
      { formats: sat(['RGB888', []]) },
      ['devices[0] formats', 'unknown-value', '"RGB888"'],
    ],
    [
      'an implicit modifier of a format',
      { formats: sat(['XR24', [0x00ff_ffff_ffff_ffffn]]) },
      ['devices[0] formats', 'unknown-value', 'DRM_FORMAT_MOD_INVALID'],
    ],
    [
      'modifiers beside those of formats',
      { formats: sat(['XR24', []]), modifiers: at(0n) },
      ['devices[0] modifiers', 'excluded', 'formats'],
    ],
    [
      'more formats than a call may have modifiers',
      {
        formats: sat(
          ...Array.from({ length: LIMITS.modifiersPerCall + 1 }, (_, i): [string, bigint[]] => [
            i.toString(36).padStart(4, '0'),
            [],
          ]),
        ),
      },
      ['devices[0] formats', 'too-many', LIMITS.modifiersPerCall],
    ],
    ["a key of the buffer's", { width: u(1) }, ['devices[0]', 'unknown-key', '"width"']],
  ])('%s', (_, keys, refused) => {
    expect(refusal(() => entryOf(keys))).toMatchObject(invalid(...refused));
  });

  const types: Readonly<Record<string, string>> = {
    uses: 'as',
    modifiers: 'at',
    formats: 'a(sat)',
    ...Object.fromEntries(ALL_LIMITS.map((limit) => [limit, LIMIT_TABLE[limit].type])),
  };
  test.each(Object.entries(types))('%s of another type than %s', (key, type) => {
    const others = [
      u(64),
      t(64n),
      b(true),
      s('64'),
      as('read'),
      at(0n),
      v('i', 64),
      v('d', 64),
      v('v', u(64)),
    ];
    for (const value of others.filter(({ signature }) => signature !== type))
      expect(refusal(() => entryOf({ [key]: value }))).toMatchObject(
        invalid(`devices[0] ${key}`, 'type', `"${value.signature}"`, type),
      );
  });

  test('the message names the entry', () => {
    const devices = [device('cpu'), device('cpu', { 'pitch-multiple': u(0) })];
    expect(refusal(() => allocate(devices, dict(IMAGE)))).toMatchObject(
      invalid('devices[1] pitch-multiple', 'out-of-range'),
    );
  });
});

describe('refused keys of the buffer', () => {
  test.each<[string, Keys, Parameters<typeof invalid>]>([
    ['nothing', {}, ['buffer width', 'missing', 'height', 'format', 'size']],
    ['width alone', { width: u(1) }, ['buffer height', 'missing']],
    ['no format', { width: u(1), height: u(1) }, ['buffer format', 'missing']],
    ['format alone', { format: s('XR24') }, ['buffer width', 'missing']],
    ['modifiers alone', { modifiers: at(0n) }, ['buffer width', 'missing']],
    ['width 0', { ...IMAGE, width: u(0) }, ['buffer width', 'out-of-range', 0]],
    ['height 0', { ...IMAGE, height: u(0) }, ['buffer height', 'out-of-range', 0]],
    ['size 0', { size: t(0n) }, ['buffer size', 'out-of-range', 0]],
    ['an image with a size', { ...IMAGE, size: t(1n) }, ['buffer width', 'excluded', 'size']],
    ['a format with a size', { format: s('XR24'), size: t(1n) }, ['buffer format', 'excluded', 'size']],
    ['modifiers with a size', { modifiers: at(0n), size: t(1n) }, ['buffer modifiers', 'excluded', 'size']],
    ['no modifiers', { ...IMAGE, modifiers: at() }, ['buffer modifiers', 'empty']],
    [
      'implicit',
      { ...IMAGE, modifiers: at(0x00ff_ffff_ffff_ffffn) },
      ['buffer modifiers', 'unknown-value', 'DRM_FORMAT_MOD_INVALID'],
    ],
    ['count 0', { ...IMAGE, count: u(0) }, ['buffer count', 'out-of-range', 0, 1, 16]],
    ['total 0', { ...IMAGE, total: u(0) }, ['buffer total', 'out-of-range', 0]],
    [
      'total below count',
      { ...IMAGE, count: u(3), total: u(2) },
      ['buffer total', 'out-of-range', 2, 'count', 3],
    ],
    ['an unknown key', { ...IMAGE, heap: s('cma') }, ['buffer', 'unknown-key', '"heap"', 'width', 'height']],
    ["an entry's key", { ...IMAGE, 'pitch-multiple': u(1) }, ['buffer', 'unknown-key', '"pitch-multiple"']],
    ['width of type t', { ...IMAGE, width: t(1n) }, ['buffer width', 'type', '"t"', 'u']],
    ['extends of type s', { extends: s(ALLOCATION) }, ['buffer extends', 'type', '"s"', 'o']],
    ['a long label', { ...IMAGE, label: s('x'.repeat(32)) }, ['buffer label', 'too-long', 32, 31]],
    ['a label long in bytes', { ...IMAGE, label: s('ö'.repeat(16)) }, ['buffer label', 'too-long', 32]],
    ['a label with NUL', { ...IMAGE, label: s('a\0b') }, ['buffer label', 'unknown-value']],
    ['a label with a newline', { ...IMAGE, label: s('count:\n1') }, ['buffer label', 'unknown-value']],
    ['a label with C1', { ...IMAGE, label: s('a\u0085b') }, ['buffer label', 'unknown-value']],
  ])('%s', (_, keys, refused) => {
    expect(refusal(() => bufferOf(keys))).toMatchObject(invalid(...refused));
  });

  test.each(['', ' ', '    ', ' R8', 'R 8', 'XR243', 'R8   ', 'XR2é', 'XR\t4', 'XR2\0', '日本'])(
    'the format %j, which is no fourcc',
    (format) => {
      expect(refusal(() => imageWith({ format: s(format) }))).toMatchObject(
        invalid('buffer format', 'unknown-value', quote(format)),
      );
    },
  );

  test('more buffers than fit in a call, for Explain as well', () => {
    const body = [[device('cpu')], dict({ ...IMAGE, count: u(17) })];
    const refused = {
      ...invalid('buffer count', 'too-many', 17, LIMITS.buffersPerCall),
      code: 'TooManyBuffers',
    };
    expect(refusal(() => readAllocate(body, idAt))).toMatchObject(refused);
    expect(refusal(() => readExplain(body))).toMatchObject(refused);
  });

  test.each<[string, WireVariant]>([
    ['modifiers', at(0n)],
    ...limitsOf('u').flatMap((limit): [string, WireVariant][] =>
      LIMIT_TABLE[limit].imageOnly ? [[limit, u(1)]] : [],
    ),
    ...limitsOf('b').flatMap((limit): [string, WireVariant][] =>
      LIMIT_TABLE[limit].imageOnly ? [[limit, b(false)]] : [],
    ),
  ])('%s in an entry when there is no image', (key, value) => {
    const devices = [device('cpu'), device('cpu', { contiguous: b(true), [key]: value })];
    expect(refusal(() => allocate(devices, dict({ size: t(4096n) })))).toMatchObject(
      invalid(`devices[1] ${key}`, 'excluded', 'size'),
    );
  });
});

describe('extensions', () => {
  const path = v('o', ALLOCATION);

  test.each<[string, WireVariant]>([
    ...Object.entries(IMAGE),
    ['size', t(1n)],
    ['total', u(2)],
    ['label', s('x')],
    ['modifiers', at(0n)],
  ])('with %s', (key, value) => {
    expect(refusal(() => allocate([], dict({ count: u(1), extends: path, [key]: value })))).toMatchObject(
      invalid(`buffer ${key}`, 'excluded', 'extends'),
    );
  });

  test('with devices', () => {
    expect(refusal(() => allocate([device('cpu')], dict({ extends: path })))).toMatchObject(
      invalid('devices', 'excluded', 'extends'),
    );
  });

  test('in Explain', () => {
    expect(refusal(() => readExplain([[], dict({ extends: path })]))).toMatchObject(
      invalid('buffer extends', 'excluded', 'Explain'),
    );
  });

  test.each(['/', '/org/dmabroker1/allocation/a2', '/org/dmabroker1/device/cpu'])(
    'of %s, which is none',
    (other) => {
      const refused = refusal(() => allocate([], dict({ extends: v('o', other) })));
      expect(refused).toMatchObject({ code: 'UnknownAllocation', message: unknownAllocation().message });
      expect(refused.message).not.toContain(other.slice(1) || ALLOCATION);
    },
  );
});

describe('what is wrong with a request as a whole', () => {
  test('no devices', () => {
    expect(refusal(() => allocate([], dict(IMAGE)))).toMatchObject(invalid('devices', 'empty'));
  });

  test('a key given twice', () => {
    const twice = [...dict(IMAGE), ['width', u(640)]];
    expect(refusal(() => allocate([device('cpu')], twice))).toMatchObject(
      invalid('buffer width', 'repeated'),
    );
    const entry = ['cpu', [...dict({ contiguous: b(true) }), ...dict({ contiguous: b(true) })]];
    expect(refusal(() => allocate([entry], dict(IMAGE)))).toMatchObject(
      invalid('devices[0] contiguous', 'repeated'),
    );
  });

  test.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', ''])('the key %j', (key) => {
    expect(refusal(() => allocate([device('cpu')], [...dict(IMAGE), [key, u(1)]]))).toMatchObject(
      invalid('buffer', 'unknown-key', `"${key}"`),
    );
    expect(refusal(() => allocate([['cpu', [[key, u(1)]]]], dict(IMAGE)))).toMatchObject(
      invalid('devices[0]', 'unknown-key', `"${key}"`),
    );
  });

  test('more than 64 entries', () => {
    const devices = Array.from({ length: LIMITS.entries + 1 }, () => device('cpu'));
    expect(refusal(() => allocate(devices, dict(IMAGE)))).toMatchObject(
      invalid('devices', 'too-many', 65, 64),
    );
  });

  test('more than 32 keys', () => {
    const keys = Array.from({ length: LIMITS.keysPerEntry + 1 }, (_, i): [string, WireVariant] => [
      `k${i}`,
      u(1),
    ]);
    expect(refusal(() => allocate([['cpu', keys]], dict(IMAGE)))).toMatchObject(
      invalid('devices[0]', 'too-many', 33, 32),
    );
    expect(refusal(() => allocate([device('cpu')], keys))).toMatchObject(
      invalid('buffer', 'too-many', 33, 32),
    );
  });

  test('more than 4,096 modifiers in all', () => {
    const half = at(...Array.from({ length: LIMITS.modifiersPerCall / 2 }, (_, i) => BigInt(i)));
    const devices = [device('cpu', { modifiers: half }), device('cpu', { modifiers: half })];
    expect(allocate(devices, dict(IMAGE))).toHaveProperty('entries.1');
    expect(refusal(() => allocate(devices, dict({ ...IMAGE, modifiers: at(0n) })))).toMatchObject(
      invalid('buffer modifiers', 'too-many', 4096),
    );
    expect(
      refusal(() => allocate([...devices, device('cpu', { modifiers: at(0n) })], dict(IMAGE))),
    ).toMatchObject(invalid('devices[2] modifiers', 'too-many', 4096));
  });

  test('strings of more than 255 bytes', () => {
    const long = 'é'.repeat(128);
    const tooLong = (field: string): object => invalid(field, 'too-long', 256, 255);
    expect(refusal(() => allocate([device(long)], dict(IMAGE)))).toMatchObject(tooLong('devices[0]'));
    expect(refusal(() => entryOf({ uses: as(long) }))).toMatchObject(tooLong('devices[0] uses'));
    expect(refusal(() => imageWith({ format: s(long) }))).toMatchObject(tooLong('buffer format'));
    expect(refusal(() => imageWith({ label: s(long) }))).toMatchObject(tooLong('buffer label'));
    expect(refusal(() => allocate([], dict({ extends: v('o', `/${'a'.repeat(255)}`) })))).toMatchObject(
      tooLong('buffer extends'),
    );
  });

  test('a message repeats only a little of what a client wrote, and nothing that a terminal would obey', () => {
    const { message } = refusal(() => imageWith({ ['\u001b[31m"\u202e' + 'k'.repeat(200)]: u(1) }));
    expect(message).toMatch(/^[ -~…]*$/);
    expect(message.length).toBeLessThan(200);
    expect(message).toContain('"\\u{1b}[31m\\"\\u{202e}kkk');
  });
});

describe('anything at all', () => {
  const KEYS = [
    ...['uses', 'modifiers', ...ALL_LIMITS, '__proto__'],
    ...['width', 'height', 'format', 'size', 'count', 'total', 'extends', 'label'],
  ];

  const basic = fc.oneof(
    fc.nat(2 ** 32 - 1).map(u),
    fc.bigInt(0n, 2n ** 64n - 1n).map(t),
    fc.boolean().map(b),
    fc.oneof(fc.string(), fc.constantFrom('XR24', 'NV12', 'R8')).map(s),
    fc.constantFrom('/', ALLOCATION).map((path) => v('o', path)),
    fc.array(fc.constantFrom(...USES, 'x')).map((names) => as(...names)),
    fc.array(fc.bigInt(0n, 2n ** 64n - 1n)).map((list) => at(...list)),
  );
  const variant = fc.oneof(
    { weight: 5, arbitrary: basic },
    { weight: 1, arbitrary: basic.map((inner) => v('v', inner)) },
    // Not even of the type that it says.
    { weight: 1, arbitrary: fc.tuple(basic, basic).map(([{ signature }, { value }]) => v(signature, value)) },
  );
  const dictionary = fc.array(fc.tuple(fc.oneof(fc.constantFrom(...KEYS), fc.string()), variant), {
    maxLength: 40,
  });
  const nonsense: fc.Arbitrary<WireValue> = fc.letrec<{ value: WireValue }>((tie) => ({
    value: fc.oneof(fc.string(), fc.nat(), fc.boolean(), fc.bigInt(), variant, fc.array(tie('value'))),
  })).value;
  const argument = fc.oneof(
    {
      weight: 8,
      arbitrary: fc.tuple(fc.array(fc.tuple(fc.string(), dictionary), { maxLength: 70 }), dictionary),
    },
    { weight: 2, arbitrary: fc.array(nonsense, { maxLength: 3 }) },
  );

  test('is read, or refused with a BrokerError of the contract', () => {
    fc.assert(
      fc.property(argument, (body) => {
        for (const read of [() => readAllocate(body, idAt), () => readExplain(body)]) {
          try {
            read();
          } catch (error) {
            if (!(error instanceof BrokerError)) throw error;
            expect(['InvalidRequest', 'TooManyBuffers', 'UnknownAllocation']).toContain(error.code);
            // What names no field is not the request's fault: an allocation that is none of the caller's.
            if (error.code === 'UnknownAllocation') expect(error.message).toBe(unknownAllocation().message);
            else expect(error.message).toMatch(/^(?:devices|buffer)(?:\[\d+\])?(?: [a-z-]+)?: [ -~…]+$/);
          }
        }
      }),
      { numRuns: 2000 },
    );
  });

  test('that keeps every rule is accepted', () => {
    const limits = {
      ...Object.fromEntries(limitsOf('u').map((key) => [key, fc.integer({ min: 1, max: 64 }).map(u)])),
      ...Object.fromEntries(limitsOf('t').map((key) => [key, fc.bigInt(1n, 2n ** 64n - 1n).map(t)])),
      ...Object.fromEntries(limitsOf('b').map((key) => [key, fc.boolean().map(b)])),
    };
    const entryKeys = fc.record(
      {
        ...limits,
        uses: fc.subarray([...USES], { minLength: 1 }).map((names) => as(...names)),
        modifiers: fc.array(fc.bigInt(0n, 2n ** 32n), { minLength: 1 }).map((list) => at(...list)),
        'pitch-multiple': fc.integer({ min: 1, max: 2 ** 32 - 1 }).map(u),
        'pitch-min': fc.nat(2 ** 32 - 1).map(u),
      },
      { requiredKeys: [] },
    );
    const devices = fc.array(fc.tuple(fc.string({ maxLength: 60 }), entryKeys), {
      minLength: 1,
      maxLength: 64,
    });
    const counts = fc.tuple(fc.integer({ min: 1, max: 16 }), fc.nat(100));
    fc.assert(
      fc.property(devices, counts, (list, [count, more]) => {
        const wire = list.map(([name, keys]) => device(name, keys));
        const request = allocate(wire, dict({ ...IMAGE, count: u(count), total: u(count + more) }));
        expect(request).toMatchObject({ count, total: count + more });
        expect(request).toHaveProperty('entries.length', list.length);
      }),
    );
  });
});

describe('a body that comes again', () => {
  const body: readonly WireValue[] = [[device('cpu')], dict(IMAGE)];

  test('is the same request again, whether it is allocated or explained', () => {
    const requests = new Requests();
    const first = requests.allocate(body, idAt);
    expect(first).toEqual(readAllocate(body, idAt));
    expect(requests.allocate(body, idAt)).toBe(first);
    expect(requests.explain(body)).toBe(first);
    expect(requests.allocate([...body], idAt)).not.toBe(first);
  });

  test('is read anew where it names an allocation, which may be gone', () => {
    const requests = new Requests();
    const extension: readonly WireValue[] = [[], dict({ extends: v('o', '/org/dmabroker1/allocation/a') })];
    expect(requests.allocate(extension, () => 'a')).toEqual({ extends: 'a' });
    expect(refusal(() => requests.allocate(extension, () => undefined))).toMatchObject({
      code: 'UnknownAllocation',
    });
  });
});
