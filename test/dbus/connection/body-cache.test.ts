import { expect, test } from 'vitest';

import { BodyCache } from '../../../dbus/connection/body-cache.js';
import { SignatureCache } from '../../../dbus/connection/signature-cache.js';
import { WireError } from '../../../dbus/connection/wire-error.js';
import { marshal } from '../../harness/raw-message.js';

const ANY = { fds: 0, values: Infinity };
const REQUEST = 'a(su)';
const request = (number: number, little = true): Buffer => marshal(REQUEST, [[['cpu', number]]], little);

test('a body that came before is given again, and another is not', () => {
  const bodies = new BodyCache(new SignatureCache());
  const first = bodies.read(request(1), true, REQUEST, ANY);
  expect(first).toEqual([[['cpu', 1]]]);
  expect(bodies.read(request(1), true, REQUEST, ANY)).toBe(first);
  expect(bodies.read(request(2), true, REQUEST, ANY)).toEqual([[['cpu', 2]]]);
});

test('the same bytes under another signature, or in another order, are something else', () => {
  const bodies = new BodyCache(new SignatureCache());
  const zeroes = Buffer.alloc(8);
  expect(bodies.read(zeroes, true, 'uu', ANY)).toEqual([0, 0]);
  expect(bodies.read(zeroes, true, 'qqqq', ANY)).toEqual([0, 0, 0, 0]);
  expect(bodies.read(zeroes, true, 'iqq', ANY)).toEqual([0, 0, 0]);
  bodies.read(request(1), true, REQUEST, ANY);
  expect(bodies.read(request(1, false), false, REQUEST, ANY)).toEqual([[['cpu', 1]]]);
});

test('what is wrong is wrong every time, and fds are looked for every time', () => {
  const bodies = new BodyCache(new SignatureCache());
  const broken = request(1).subarray(0, -1);
  for (let i = 0; i < 2; i += 1) expect(() => bodies.read(broken, true, REQUEST, ANY)).toThrow(WireError);
  const indexes = marshal('hhh', [0, 1, 2]);
  expect(bodies.read(indexes, true, 'hhh', { ...ANY, fds: 3 })).toEqual([0, 1, 2]);
  expect(() => bodies.read(indexes, true, 'hhh', ANY)).toThrow(
    expect.objectContaining({ name: 'WireError', code: 'descriptors' }) as Error,
  );
});
