import { expect, test } from 'vitest';

import { Listings, listingOf } from '../../../daemon/bus/listing.js';
import { deviceObject, type ListedObject } from '../../../daemon/bus/objects.js';
import { interfacesOf } from '../../../daemon/bus/properties.js';
import { CAMERA } from '../machine.js';
import { marshal, type RawValue } from '../../harness/raw-message.js';
import { MessageWriter } from '../../../dbus/connection/message-writer.js';
import { SignatureCache } from '../../../dbus/connection/signature-cache.js';
import type { WireValue } from '../../../dbus/connection/bus-types.js';

/** `GetManagedObjects` of the D-Bus specification, and the signal of the same contents. */
const LISTING = 'a{oa{sa{sv}}}';
const ADDED = 'oa{sa{sv}}';

/** Paths of all lengths, because where values start depends on them. */
const cameras = (count: number): readonly ListedObject[] =>
  Array.from({ length: count }, (_, i) =>
    deviceObject({
      device: { ...CAMERA, node: `/dev/video${10 ** (i % 8)}${i}` },
      constraints: [],
      pools: [],
    }),
  );
const written = (signature: string, ...body: WireValue[]): Buffer =>
  new MessageWriter(new SignatureCache()).write({
    ...{ type: 2, flags: 1, serial: 1, replySerial: 2, destination: ':1.2' },
    ...{ signature, body },
  }).bytes;
/** As the independent marshaller has it, which takes a variant as its signature and its value. */
const raw = (value: WireValue): RawValue => {
  if (value instanceof Array) return value.map(raw);
  if (typeof value !== 'object') return value;
  if (!('signature' in value)) throw new Error('this value has no plain form');
  return [value.signature, raw(value.value)];
};
const plain = (object: ListedObject): readonly RawValue[] =>
  [object.path, interfacesOf(object.table, object.values())].map(raw);

test('a listing is what its objects say, whether they were written before or not', async () => {
  const objects = cameras(20);
  const body = marshal(LISTING, [objects.map(plain)]);
  expect(written(LISTING, listingOf(objects)).subarray(-body.length).equals(body)).toBe(true);

  const others = cameras(20);
  const listings = new Listings(() => 0);
  expect(listings.isReady(others)).toBe(false);
  await listings.ready(() => others);
  expect(listings.isReady(others)).toBe(true);
  expect(written(LISTING, listingOf(others)).subarray(-body.length).equals(body)).toBe(true);
  for (const object of others) {
    const signal = marshal(ADDED, plain(object));
    const bytes = written(ADDED, object.path, object.interfaces());
    expect(bytes.subarray(-signal.length).equals(signal)).toBe(true);
  }
});

test('thousands of objects are written in slices, and those who ask at once take turns', async () => {
  let now = 0;
  const read = new Set<ListedObject>();
  // What one object has to say takes half a millisecond here.
  const slow = cameras(400).map((object): ListedObject => {
    const whole: ListedObject = {
      ...object,
      interfaces: () => {
        if (!read.has(whole)) now += 0.5;
        read.add(whole);
        return object.interfaces();
      },
    };
    return whole;
  });
  const listings = new Listings(() => now);
  const turns: number[] = [];
  let isDone = false;
  const watch = (): void => {
    const before = now;
    setImmediate(() => {
      turns.push(now - before);
      if (!isDone) watch();
    });
  };
  watch();
  await Promise.all([listings.ready(() => slow), listings.ready(() => slow), listings.ready(() => [])]);
  isDone = true;
  expect(listings.isReady(slow)).toBe(true);
  expect(Math.max(...turns)).toBeLessThanOrEqual(2);
});

test('an object that cannot be sent costs only the listing that has it', async () => {
  const [good, other] = [cameras(1), cameras(1)];
  const bad = deviceObject({ device: { ...CAMERA, name: 'half \ud800' }, constraints: [], pools: [] });
  const listings = new Listings(() => 0);
  const failing = listings.ready(() => [...good, bad]);
  const after = listings.ready(() => other);
  await expect(failing).rejects.toMatchObject({ name: 'WireError' });
  await after;
  expect([listings.isReady([...good, ...other]), listings.isReady([bad])]).toEqual([true, false]);
});
