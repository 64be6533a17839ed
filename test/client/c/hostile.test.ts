import { constants } from 'node:os';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { errorName } from '../../../dbus/errors.js';
import type { IncomingCall, WireDict, WireValue } from '../../../dbus/connection/bus-types.js';
import { BUS_NAME, ROOT_PATH } from '../../../dbus/names.js';
import { closeAll } from '../../../dbus/owned-fd.js';
import { startBus, type PrivateBus } from '../../harness/private-bus.js';
import { randomFrom } from '../../harness/random.js';
import { RawClient } from '../../harness/raw-client.js';
import { CALL, field, marshal, REPLY, type RawValue } from '../../harness/raw-message.js';
import { TemporaryDirectory } from '../../integration/rig.js';
import { memfd } from '../memory/memfd.js';
import { startPeer, type Answer, type Peer } from '../peer.js';
import { compile, Driver, hasCompiler, READ_WRITE } from './rig.js';

const { EIO, EINVAL, ETIMEDOUT, ENOTSUP, EHOSTUNREACH, ENODEV } = constants.errno;
const SLOW = 120_000;
/** 64 × 64 pixels of 4 bytes. */
const SIZE = 16_384;
const PATH = `${ROOT_PATH}/allocation/one`;

const of = (signature: string, value: WireValue) => ({ signature, value });
const GOOD: WireDict = [
  ['width', of('u', 64)],
  ['height', of('u', 64)],
  ['format', of('s', 'XR24')],
  ['modifier', of('t', 0n)],
  ['planes', of('a(tu)', [[0n, 256]])],
  ['size', of('t', BigInt(SIZE))],
  ['count', of('u', 1)],
  ['pool', of('s', 'a1')],
  ['cpu-access', of('s', 'cached')],
];
const withKey = (key: string, signature: string, value: WireValue): WireDict =>
  GOOD.map((entry) => (entry[0] === key ? [key, of(signature, value)] : entry));
const without = (...keys: readonly string[]): WireDict =>
  GOOD.filter(([key]) => !keys.some((name) => name === key));
const planes = (...all: readonly (readonly [bigint, number])[]): WireDict => withKey('planes', 'a(tu)', all);

/** I915_FORMAT_MOD_X_TILED and _Y_TILED of drm_fourcc.h. */
const X_TILED = 0x0100_0000_0000_0001n;
const Y_TILED = 0x0100_0000_0000_0002n;
const tiled = (...all: readonly (readonly [bigint, number])[]): WireDict =>
  planes(...all).map((entry) => (entry[0] === 'modifier' ? ['modifier', of('t', Y_TILED)] : entry));

interface Reply {
  readonly signature?: string;
  readonly body?: () => readonly WireValue[];
  readonly layout?: WireDict;
  /** Sizes of the buffers. */
  readonly sizes?: readonly number[];
}

const answering =
  ({ signature = 'oa{sv}ah', layout = GOOD, sizes = [SIZE], body }: Reply): Answer =>
  (call) => {
    call.reply(signature, body?.() ?? [PATH, layout, sizes.map((size) => memfd('hostile', size))]);
  };

/** What a request for one image of 64 × 64 is answered with, by what is wrong with it. */
const WRONG: Readonly<Record<string, Reply>> = {
  'another signature': { signature: 's', body: () => ['granted'] },
  'no descriptors': { signature: 'oa{sv}', body: () => [PATH, GOOD] },
  'an argument more': { signature: 'oa{sv}ahs', body: () => [PATH, GOOD, [memfd('hostile', SIZE)], 'more'] },
  nothing: { signature: '', body: () => [] },
  'no buffer': { sizes: [] },
  'two buffers for one': { sizes: [SIZE, SIZE], layout: withKey('count', 'u', 2) },
  'another count': { layout: withKey('count', 'u', 2) },
  'a buffer that is too small': { sizes: [SIZE - 1] },
  'a buffer of no size': { sizes: [0] },
  'a size beyond every file': { layout: withKey('size', 't', 2n ** 63n) },
  'a size of 0': { layout: withKey('size', 't', 0n) },
  'a size of another type': { layout: withKey('size', 'u', SIZE) },
  'a size that is said twice': { layout: [...GOOD, ['size', of('t', BigInt(SIZE))]] },
  'no size': { layout: without('size') },
  'no count': { layout: without('count') },
  'no access': { layout: without('cpu-access') },
  'an access that does not exist': { layout: withKey('cpu-access', 's', 'sometimes') },
  'no format': { layout: without('format') },
  'memory for an image': { layout: without('format', 'modifier', 'width', 'height', 'planes') },
  'an empty layout': { layout: [] },
  'another width': { layout: withKey('width', 'u', 65) },
  'another height': { layout: withKey('height', 'u', 63) },
  'another format': { layout: withKey('format', 's', 'AR24') },
  'a format that is no name': { layout: withKey('format', 's', 'XR24 and more') },
  'an invalid modifier': { layout: withKey('modifier', 't', 0x00ff_ffff_ffff_ffffn) },
  'no planes': { layout: planes() },
  'five planes': { layout: planes(...Array.from({ length: 5 }, () => [0n, 256] as const)) },
  'two planes where there is one': { layout: planes([0n, 256], [0n, 256]) },
  'a plane behind the end': { layout: planes([BigInt(SIZE), 256]) },
  'a plane that ends behind the end': { layout: planes([4n, 256]) },
  'a stride that is too wide': { layout: planes([0n, 257]) },
  'a stride that is too narrow': { layout: planes([0n, 255]) },
  'an offset of more than 32 bits': { layout: planes([2n ** 32n, 256]) },
  'a tiled image whose stride is too narrow': { layout: tiled([0n, 252]) },
  'a tiled image that ends behind the end': { layout: tiled([0n, 512]) },
  'a tiled image that begins too late': { layout: tiled([4n, 256]) },
  'planes of another type': { layout: withKey('planes', 'a(uu)', [[0, 256]]) },
};

/** Answers to Explain. */
const EXPLAINED: Readonly<
  Record<string, readonly (readonly [string, { signature: string; value: WireValue }])[]>
> = {
  'no result': [],
  'a result of another type': [['feasible', of('u', 1)]],
  'no layout': [['feasible', of('b', true)]],
  'a layout that is wrong': [
    ['feasible', of('b', true)],
    ['layout', of('a{sv}', planes([4n, 256]))],
  ],
  'a constraint that lacks its source': [
    ['feasible', of('b', false)],
    [
      'conflicts',
      of('aa{sv}', [
        [
          ['entry', of('i', 0)],
          ['device', of('s', 'cpu')],
        ],
      ]),
    ],
  ],
  'a constraint of another type': [
    ['feasible', of('b', false)],
    ['conflicts', of('aa{sv}', [[['entry', of('s', 'first')]]])],
  ],
  'conflicts that are said twice': [
    ['feasible', of('b', false)],
    ['conflicts', of('aa{sv}', [constraint('one', of('u', 1))])],
    ['conflicts', of('aa{sv}', [constraint('two', of('u', 1))])],
  ],
  'suggestions of another type': [
    ['feasible', of('b', false)],
    ['suggestions', of('s', 'Leave it.')],
  ],
};

function constraint(name: string, value: { signature: string; value: WireValue }): WireDict {
  return [
    ['entry', of('i', 0)],
    ['device', of('s', 'cpu')],
    ['constraint', of('s', name)],
    ['value', value],
    ['source', of('s', 'client')],
  ];
}

describe.skipIf(!hasCompiler)(
  'libdmabroker with a service that is broken or hostile',
  { timeout: SLOW },
  () => {
    const directory = new TemporaryDirectory();
    let programs: Readonly<Record<'driver', string>>;
    let bus: PrivateBus;
    let peer: Peer;
    let driver: Driver;
    beforeAll(async () => {
      programs = await compile(directory.path, 'sanitizers', ['driver']);
      bus = await startBus();
      peer = await startPeer(bus.address);
    }, SLOW);
    afterAll(async () => {
      await peer.leave();
      await bus.stop();
      directory[Symbol.dispose]();
    });
    beforeEach(async () => {
      peer.calls.splice(0);
      peer.answers.delete('Allocate');
      peer.answers.delete('Explain');
      driver = new Driver(programs.driver);
      await driver.all(
        `open ${bus.address}`,
        'request',
        'image 64 64 XR24',
        `device cpu ${READ_WRITE}`,
        'count 1',
      );
    });
    afterEach(async () => {
      await driver.end();
    });

    const released = (): readonly (WireValue | undefined)[] =>
      peer.calls.filter(({ member }) => member === 'Release').map(({ body }) => body[0]);

    it('believes what is right', async () => {
      peer.answers.set('Allocate', answering({ layout: [...GOOD, ['new-key', of('as', ['anything'])]] }));
      expect(await driver.ask('allocate')).toEqual({ result: 0, text: PATH });
      expect((await driver.ask('layout')).text).toBe(`64x64 XR24 0x0 ${SIZE} 2 0+256`);
    });

    it('believes tiles, and planes of what compresses them', async () => {
      peer.answers.set('Allocate', answering({ layout: tiled([0n, 256]) }));
      expect((await driver.ask('allocate')).result).toBe(0);
      const more = tiled([0n, 256], [BigInt(SIZE), 32]);
      const larger: WireDict = more.map((entry) =>
        entry[0] === 'size' ? ['size', of('t', 20_480n)] : entry,
      );
      peer.answers.set('Allocate', answering({ layout: larger, sizes: [20_480] }));
      expect((await driver.ask('allocate')).result).toBe(0);
    });

    it('takes a modifier that it asked for, or linear, and no other', async () => {
      await driver.all(`modifier ${Y_TILED.toString(16)}`);
      peer.answers.set('Allocate', answering({ layout: tiled([0n, 256]) }));
      expect((await driver.ask('allocate')).result).toBe(0);
      peer.answers.set('Allocate', answering({}));
      expect((await driver.ask('allocate')).result).toBe(0);
      peer.answers.set('Allocate', answering({ layout: withKey('modifier', 't', X_TILED) }));
      expect((await driver.ask('allocate')).result).toBe(-EIO);
    });

    it.each(Object.entries(WRONG))('refuses %s', async (_, reply) => {
      const { result: before } = await driver.ask('fds');
      peer.answers.set('Allocate', answering(reply));
      expect((await driver.ask('allocate')).result).toBe(-EIO);
      await driver.all('async');
      expect((await driver.ask('loop')).result).toBe(-EIO);
      expect((await driver.ask('fds')).result).toBe(before);
      // What it read a path of is given back.
      const signed = (reply.signature ?? 'oa{sv}ah') === 'oa{sv}ah';
      if (signed) await expect.poll(released).toEqual([PATH, PATH]);
      // The connection goes on.
      peer.answers.set('Allocate', answering({}));
      expect((await driver.ask('allocate')).result).toBe(0);
    });

    it.each<[string, Reply]>([
      ['another allocation', { body: () => [`${PATH}2`, GOOD, [memfd('hostile', SIZE)]] }],
      ['another layout', { layout: withKey('size', 't', BigInt(SIZE - 1)) }],
      ['too few buffers', { layout: withKey('count', 'u', 0), sizes: [] }],
      ['too many buffers', { layout: withKey('count', 'u', 2), sizes: [SIZE, SIZE] }],
    ])('keeps what it has where the rest comes with %s', async (_, reply) => {
      peer.answers.set('Allocate', answering({}));
      await driver.all('allocate');
      const { result: before } = await driver.ask('fds');
      peer.answers.set('Allocate', answering(reply));
      expect((await driver.ask('extend 1')).result).toBe(-EIO);
      expect((await driver.ask('count')).result).toBe(1);
      expect((await driver.ask('fds')).result).toBe(before);
    });

    it('gives back an image whose planes have descriptors of their own', async () => {
      const apart: WireDict = [...GOOD, ['plane-fds', of('au', [0])], ['fd-sizes', of('at', [BigInt(SIZE)])]];
      peer.answers.set('Allocate', answering({ layout: apart }));
      expect((await driver.ask('allocate')).result).toBe(-ENOTSUP);
      await expect.poll(released).toEqual([PATH]);
    });

    it('gives back the first part where the second one does not come', async () => {
      const { result: before } = await driver.ask('fds');
      const sixteen = withKey('count', 'u', 16);
      peer.answers.set('Allocate', (call) => {
        peer.answers.set('Allocate', (next) => {
          next.error(errorName('UnknownDevice'), 'gone');
        });
        answering({ layout: sixteen, sizes: Array.from({ length: 16 }, () => SIZE) })(call);
      });
      await driver.all('count 17');
      expect(await driver.ask('allocate')).toEqual({ result: -ENODEV, text: 'gone' });
      expect((await driver.ask('fds')).result).toBe(before);
      await expect.poll(released).toEqual([PATH]);
    });

    it.each(Object.entries(EXPLAINED))('refuses an explanation with %s', async (_, result) => {
      peer.answers.set('Explain', (call) => {
        call.reply('a{sv}', [result]);
      });
      expect((await driver.ask('explain')).result).toBe(-EIO);
    });

    it('shows values of every type, and leaves out those that it does not know', async () => {
      const values = [
        ['u', 7],
        ['t', 8n],
        ['b', true],
        ['s', 'word'],
        ['at', Array.from({ length: 18 }, (_, index) => BigInt(index))],
        ['as', []],
        ['d', 1.5],
        ['a{sv}', []],
      ] as const;
      peer.answers.set('Explain', (call) => {
        const conflicts = values.map(([signature, value]) => constraint(signature, of(signature, value)));
        call.reply('a{sv}', [
          [
            ['feasible', of('b', false)],
            ['conflicts', of('aa{sv}', conflicts)],
          ],
        ]);
      });
      const { text } = await driver.ask('explain');
      expect(text.split('|').slice(1, -1)).toEqual([
        'cpu: u 7 (client)',
        'cpu: t 8 (client)',
        'cpu: b yes (client)',
        'cpu: s word (client)',
        'cpu: at 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 and 2 more (client)',
        'cpu: as  (client)',
        'cpu: d  (client)',
        'cpu: a{sv}  (client)',
      ]);
    });

    it.each([
      ['an unknown error of the service', `${errorName('Internal')}Affairs`, -EIO],
      ['an error of no one', 'com.example.Error', -EIO],
      ['an unknown method', 'org.freedesktop.DBus.Error.UnknownMethod', -EIO],
      ['a conflict without data', errorName('Conflict'), -ENOTSUP],
    ])('takes %s', async (_, name, result) => {
      peer.answers.set('Allocate', (call) => {
        call.error(name, '');
      });
      expect(await driver.ask('allocate')).toEqual({ result, text: name });
      expect((await driver.ask('constraints')).result).toBe(0);
    });

    it('waits for an answer as long as its timeout says, and gives back what comes later', async () => {
      const { result: before } = await driver.ask('fds');
      await driver.all('timeout 300000');
      let late: IncomingCall | undefined;
      peer.answers.set('Allocate', (call) => {
        late = call;
      });
      const started = performance.now();
      expect((await driver.ask('allocate')).result).toBe(-ETIMEDOUT);
      expect(performance.now() - started).toBeLessThan(5000);
      if (late !== undefined) answering({})(late);
      await driver.all('async');
      expect((await driver.ask('loop')).result).toBe(-ETIMEDOUT);
      await expect.poll(released).toEqual([PATH]);
      expect((await driver.ask('explain')).result).toBe(-EIO);
      peer.answers.set('Explain', () => undefined);
      expect((await driver.ask('explain')).result).toBe(-ETIMEDOUT);
      expect((await driver.ask('fds')).result).toBe(before);
    });

    it('is not kept from its timeout by signals', async () => {
      await driver.all('timeout 500000');
      let sending = true;
      const sent = new Promise<void>((resolve) => {
        peer.answers.set('Allocate', ({ sender }) => {
          const send = (): void => {
            if (!sending) {
              resolve();
              return;
            }
            for (let i = 0; i < 20; i++)
              peer.bus.emit({
                destination: sender,
                path: ROOT_PATH,
                interface: 'com.example.Noise',
                member: 'Noise',
                signature: 's',
                body: ['x'.repeat(1000)],
              });
            setImmediate(send);
          };
          send();
        });
      });
      const started = performance.now();
      expect((await driver.ask('allocate')).result).toBe(-ETIMEDOUT);
      expect(performance.now() - started).toBeLessThan(5000);
      sending = false;
      await sent;
    });

    it('ends in time where a bus does not speak', async () => {
      await using other = new Driver(programs.driver);
      expect((await other.ask('open unix:path=/nonexistent/bus')).text).toBe('none');
      expect((await other.ask('open nonsense')).result).toBeLessThan(0);
      expect((await other.ask('open unix:')).result).toBeLessThan(0);
    });

    it('falls back where there is no service', async () => {
      await using quiet = await startBus();
      await using other = new Driver(programs.driver);
      expect(await other.ask(`open ${quiet.address}`)).toEqual({ result: -EHOSTUNREACH, text: 'none' });
    });

    it('says what is wrong with the request', async () => {
      peer.answers.set('Allocate', (call) => {
        call.error(errorName('InvalidRequest'), 'buffer.width: no');
      });
      expect(await driver.ask('allocate')).toEqual({ result: -EINVAL, text: 'buffer.width: no' });
    });

    it('keeps its word whatever the layout says', { timeout: SLOW }, async () => {
      const random = randomFrom(19);
      const upTo = (n: number): number => Math.floor(random() * n);
      const { result: before } = await driver.ask('fds');
      const kinds = { granted: 0, refused: 0 };
      for (let round = 0; round < 300; round++) {
        const sizes = Array.from(
          { length: [1, 1, 1, 0, 2, 12][upTo(6)] ?? 1 },
          () => [SIZE, SIZE, 0, 2 ** 20][upTo(4)] ?? 0,
        );
        const layout = mutated(GOOD, upTo, random);
        peer.answers.set('Allocate', answering({ layout, sizes }));
        const { result } = await driver.ask('allocate');
        expect([0, -EIO]).toContain(result);
        if (result < 0) kinds.refused++;
        else {
          kinds.granted++;
          const { text } = await driver.ask('layout');
          const [, size = '', , plane = ''] = /^64x64 XR24 \S+ (\d+) (\d) (\S+)$/.exec(text) ?? [];
          const [offset = NaN, stride = NaN] = plane.split('+').map(Number);
          expect(stride).toBeGreaterThanOrEqual(1);
          expect(offset + stride).toBeLessThanOrEqual(Number(size));
          await driver.all('release');
        }
        expect((await driver.ask('fds')).result).toBe(before);
      }
      expect(kinds.granted).toBeGreaterThan(10);
      expect(kinds.refused).toBeGreaterThan(100);
    });
  },
);

const VALUES: readonly ((upTo: (n: number) => number) => { signature: string; value: WireValue })[] = [
  (upTo) => of('u', [0, 1, 63, 64, 256, 16_384, 0xffff_ffff][upTo(7)] ?? 0),
  (upTo) => of('t', [0n, 1n, 256n, 16_384n, 2n ** 32n, 2n ** 63n, 2n ** 64n - 1n][upTo(7)] ?? 0n),
  (upTo) => of('s', ['', 'XR24', 'cached', 'none', 'x'.repeat(300)][upTo(5)] ?? ''),
  (upTo) =>
    of(
      'a(tu)',
      Array.from({ length: upTo(6) }, () => [BigInt(upTo(2) * 2 ** upTo(40)), upTo(2) * 256 + upTo(2)]),
    ),
  () => of('aa{sv}', [[]]),
  (upTo) => of('h', upTo(2) === 0 ? memfd('hostile', 1) : memfd('hostile', SIZE)),
];

/** The same with up to three entries gone, doubled or of another value. */
function mutated(dict: WireDict, upTo: (n: number) => number, random: () => number): WireDict {
  const entries = [...dict];
  for (let times = upTo(4); times > 0; times--) {
    const at = upTo(entries.length);
    const entry = entries[at];
    const make = VALUES[upTo(VALUES.length)];
    if (entry === undefined || make === undefined) continue;
    const what = random();
    if (what < 0.2) entries.splice(at, 1);
    else if (what < 0.35) entries.push(entry);
    else if (what < 0.55) entries.push([`new-${upTo(99)}`, make(upTo)]);
    else entries[at] = [entry[0], make(upTo)];
  }
  return entries;
}

describe.skipIf(!hasCompiler)(
  'libdmabroker with descriptors that do not fit their message',
  { timeout: SLOW },
  () => {
    const directory = new TemporaryDirectory();
    let programs: Readonly<Record<'driver', string>>;
    beforeAll(async () => {
      programs = await compile(directory.path, 'sanitizers', ['driver']);
    }, SLOW);
    afterAll(() => {
      directory[Symbol.dispose]();
    });

    const layout: RawValue = [
      ['size', ['t', BigInt(SIZE)]],
      ['count', ['u', 1]],
      ['cpu-access', ['s', 'cached']],
    ];
    const two = (value: RawValue): RawValue =>
      (value as readonly (readonly [string, RawValue])[]).map(([key, of]) => [
        key,
        key === 'count' ? ['u', 2] : of,
      ]);

    it.each<[string, RawValue, readonly number[], number, number]>([
      ['one, as it should be', layout, [0], 1, 0],
      ['one that is not there', layout, [0], 0, -EIO],
      ['one of another number', layout, [3], 1, -EIO],
      ['the same one twice', two(layout), [0, 0], 1, -EIO],
      ['more than it names', layout, [0], 5, 0],
      ['none that it names', layout, [], 3, -EIO],
    ])('%s', async (_, dict, indexes, sent, result) => {
      await using bus = await startBus();
      await using service = await RawClient.connect(bus.address);
      await service.callDriver('RequestName', 'su', [BUS_NAME, 0]);
      await using driver = new Driver(programs.driver);
      driver.tell(`open ${bus.address}`);
      await driver.answer();
      await driver.all('request', `size ${SIZE}`, `device cpu ${READ_WRITE}`);
      const { result: before } = await driver.ask('fds');
      driver.tell('allocate');
      const call = await allocateCall(service);
      const fds = Array.from({ length: sent }, () => memfd('hostile', SIZE));
      await service.sendMessage(
        {
          type: REPLY,
          fields: [
            field.replySerial(call.serial),
            field.destination(call.sender),
            field.signature('oa{sv}ah'),
            ...(sent > 0 ? [field.unixFds(sent)] : []),
          ],
          body: marshal('oa{sv}ah', [PATH, dict, indexes]),
        },
        fds,
      );
      closeAll(fds);
      expect((await driver.answer()).result).toBe(result);
      expect((await driver.ask('fds')).result).toBe(before + (result === 0 ? 1 : 0));
    });

    async function allocateCall(service: RawClient): Promise<{ serial: number; sender: string }> {
      for (;;) {
        const message = await service.read();
        if (message === undefined) throw new Error('the bus has gone');
        const { header } = message;
        if (header.type === CALL && header.member === 'Allocate')
          return { serial: header.serial, sender: header.sender ?? '' };
      }
    }
  },
);
