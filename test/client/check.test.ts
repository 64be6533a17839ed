import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { Broker } from '../../client/broker.js';
import { connect } from '../../client/connect.js';
import { DmaBuffer } from '../../client/dma-buffer.js';
import { DmabrokerError } from '../../client/errors.js';
import {
  deviceFromDevT,
  eglFormats,
  fourccCode,
  fourccName,
  linuxDmabufFormats,
  linuxDmabufParams,
  modifierName,
  parseModifier,
  type Allocation,
  type Layout,
} from '../../client/index.js';
import { connectBus } from '../../dbus/connection/bus.js';
import { startBus, type PrivateBus } from '../harness/private-bus.js';
import { memfd } from './memory/memfd.js';
import { granting, startPeer, type Peer } from './peer.js';

let bus: PrivateBus;
let peer: Peer;
let broker: Broker;
let allocation: Allocation;
beforeAll(async () => {
  bus = await startBus();
  peer = await startPeer(bus.address);
  peer.answers.set('Allocate', granting());
  broker = await Broker.open(await connectBus(bus.address), 5_000);
  allocation = await broker.allocate([{ device: 'cpu' }], { size: 4096 });
});
afterAll(async () => {
  await allocation.release();
  await broker.close();
  await peer.leave();
  await bus.stop();
});

/** Throws when its text is asked for, as an object of another program may. */
const HOSTILE = {
  toString(): string {
    throw new Error('no text');
  },
};
const CPU = [{ device: 'cpu' }];
const IMAGE = { width: 1, height: 1, format: 'XR24' };
const SIZE = 70_000;
const LAYOUT: Layout = { size: BigInt(SIZE), count: 1, pool: 'p', cpuAccess: 'cached' };
const LAID_OUT = { ...LAYOUT, ...IMAGE, modifier: 0n, planes: [{ offset: 0n, pitch: 4 }] };

const NO_NUMBERS = ['10', null, NaN, Infinity, -1, 1.5, -1n, 1n << 64n, {}, [], true, Symbol('s'), HOSTILE];
const NO_OBJECTS = [null, 7, 'x', [], true, Symbol('s')];
const NO_TEXTS = [null, 7, {}, [], 'a\0b', HOSTILE];

/** A call of the library as a program without types can write it. */
type Wrong = readonly [what: string, call: (value: unknown) => unknown, values: readonly unknown[]];

const on = (target: () => object, method: string, ...values: readonly unknown[]): unknown => {
  const called: unknown = Reflect.get(target(), method);
  if (typeof called !== 'function') throw new Error(`no method ${method}`);
  return Reflect.apply(called, target(), values);
};
const ofBroker =
  (method: string, ...before: readonly unknown[]) =>
  (value: unknown): unknown =>
    on(() => broker, method, ...before, value);
const bare =
  (called: unknown, ...after: readonly unknown[]) =>
  (value: unknown): unknown =>
    Reflect.apply(called as () => unknown, undefined, [value, ...after]);
const field =
  (name: string, of: object, call: (value: unknown) => unknown) =>
  (value: unknown): unknown =>
    call({ ...of, [name]: value });
const entry =
  (name: string) =>
  (value: unknown): unknown =>
    ofBroker('allocate')([{ device: 'cpu', [name]: value }]);
const map = async (...values: readonly unknown[]): Promise<unknown> => {
  using fd = memfd('mapped', SIZE);
  return await on(() => new DmaBuffer(fd, LAYOUT), 'map', ...values);
};
const nothing = (): void => undefined;

const WRONG: readonly Wrong[] = [
  ['connect', bare(connect), NO_OBJECTS],
  ['connect with another key', bare(connect), [{ timeOut: 5 }]],
  ['connect bus', field('bus', {}, bare(connect)), NO_TEXTS],
  [
    'connect timeout',
    field('timeout', {}, bare(connect)),
    [...NO_NUMBERS.filter((value) => value !== 1.5), 2 ** 31],
  ],
  [
    'allocate devices',
    (value) => on(() => broker, 'allocate', value, IMAGE),
    [...NO_OBJECTS.slice(0, 3), {}, undefined],
  ],
  [
    'allocate device',
    (value) => on(() => broker, 'allocate', [value], IMAGE),
    [...NO_OBJECTS, {}, undefined],
  ],
  ['allocate a hole', (value) => on(() => broker, 'allocate', value, IMAGE), [new Array(1)]],
  ['allocate buffer', ofBroker('allocate', CPU), [...NO_OBJECTS, undefined]],
  ['explain devices', (value) => on(() => broker, 'explain', value, IMAGE), [{}, undefined]],
  ['explain buffer', ofBroker('explain', CPU), [...NO_OBJECTS, undefined]],
  ['device', entry('device'), NO_TEXTS],
  ['uses', entry('uses'), [null, 'read', {}, [7], [null]]],
  ['modifiers', entry('modifiers'), [null, 0n, ['LINEAR'], [-1n], [1n << 64n], new Array(2)]],
  [
    'formats',
    entry('formats'),
    [
      null,
      {},
      [null],
      [{}],
      [{ format: 'XR24' }],
      [{ format: 7, modifiers: [] }],
      [{ format: 'XR24', modifiers: [-1n] }],
    ],
  ],
  ['pitchMultiple', entry('pitchMultiple'), [...NO_NUMBERS, 2 ** 32]],
  ['sizeMultiple', entry('sizeMultiple'), NO_NUMBERS],
  ['contiguous', entry('contiguous'), [null, 1, 'yes']],
  ['an unknown key of a device', entry('pitchMultipel'), [1]],
  ['width', field('width', IMAGE, ofBroker('allocate', CPU)), [...NO_NUMBERS, 2 ** 32]],
  ['format', field('format', IMAGE, ofBroker('allocate', CPU)), NO_TEXTS],
  ['size', field('size', {}, ofBroker('allocate', CPU)), NO_NUMBERS],
  ['count', field('count', IMAGE, ofBroker('allocate', CPU)), [...NO_NUMBERS, 2 ** 32]],
  ['total', field('total', IMAGE, ofBroker('allocate', CPU)), NO_NUMBERS],
  ['label', field('label', IMAGE, ofBroker('allocate', CPU)), NO_TEXTS],
  ['an unknown key of the buffer', field('heigth', IMAGE, ofBroker('allocate', CPU)), [1]],
  ['allocations', ofBroker('allocations'), [null, 'other', 7]],
  ['release', ofBroker('release'), [...NO_TEXTS, 'allocation', '/a/']],
  ['reveal', ofBroker('reveal'), NO_TEXTS],
  ['setPoolLimit pool', (value) => on(() => broker, 'setPoolLimit', value, 1), NO_TEXTS],
  ['setPoolLimit bytes', ofBroker('setPoolLimit', 'a1'), [...NO_NUMBERS, undefined]],
  ['extend', (value) => on(() => allocation, 'extend', value), [...NO_NUMBERS, undefined]],
  [
    'map',
    (value) => map(value, nothing),
    [...NO_OBJECTS, {}, undefined, { read: 1 }, { read: false }, { raed: true }],
  ],
  ['map with what', (value) => map({ read: true }, value), [undefined, null, {}, 'x']],
  ['deviceFromDevT', bare(deviceFromDevT), [...NO_NUMBERS, new Uint8Array(7)]],
  ['fourccCode', bare(fourccCode), [...NO_TEXTS, '', 'XR24 ', 'ä']],
  ['fourccName', bare(fourccName), [...NO_NUMBERS, 2 ** 32, 0]],
  ['modifierName', bare(modifierName), NO_NUMBERS],
  ['parseModifier', bare(parseModifier), NO_TEXTS],
  ['linuxDmabufFormats table', bare(linuxDmabufFormats), [...NO_OBJECTS, {}, new Uint8Array(15)]],
  [
    'linuxDmabufFormats tranche',
    (value) => Reflect.apply(linuxDmabufFormats, undefined, [new Uint8Array(32), value] as never),
    [null, 1, {}, [-1], [2], [2 ** 16], ['0']],
  ],
  [
    'eglFormats queried',
    bare(eglFormats, 'render'),
    [
      ...[undefined, null, 7, {}, [null], [{}]],
      [{ format: 1, modifiers: [0n], externalOnly: [] }],
      [{ format: 2 ** 32, modifiers: [0n], externalOnly: [true] }],
      [{ format: 1, modifiers: [-1n], externalOnly: [true] }],
    ],
  ],
  [
    'eglFormats use',
    (value) => Reflect.apply(eglFormats, undefined, [[], value] as never),
    ['scanout', null],
  ],
  ['linuxDmabufParams layout', bare(linuxDmabufParams, 7), [...NO_OBJECTS, {}, LAYOUT, undefined]],
  [
    'linuxDmabufParams fd',
    (value) => Reflect.apply(linuxDmabufParams, undefined, [LAID_OUT, value] as never),
    NO_NUMBERS,
  ],
  ['linuxDmabufParams modifier', field('modifier', LAID_OUT, bare(linuxDmabufParams, 7)), NO_NUMBERS],
  [
    'linuxDmabufParams offset',
    (offset) => bare(linuxDmabufParams, 7)({ ...LAID_OUT, planes: [{ offset, pitch: 4 }] }),
    [...NO_NUMBERS, 1n << 32n],
  ],
];

describe('a wrong argument is a DmabrokerError', () => {
  it.each(WRONG)('%s', async (_, call, values) => {
    for (const value of values) {
      const error: unknown = await Promise.resolve()
        .then(() => call(value))
        .catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(DmabrokerError);
      expect(error).toMatchObject({ code: 'InvalidRequest' });
    }
  });

  it('and reaches no broker', () => {
    expect(peer.calls.map(({ member }) => member)).toEqual(['Allocate']);
  });
});

it('takes integers of either type', async () => {
  await using more = await broker.allocate([{ device: 'cpu', minBuffers: 2 }], {
    size: 1n,
    count: 17n as never,
  });
  expect(more.buffers).toHaveLength(17);
  await broker.setPoolLimit('a1', 5).catch(() => undefined);
  expect(peer.calls.at(-1)).toEqual({ member: 'SetPoolLimit', body: ['a1', 5n] });
});
