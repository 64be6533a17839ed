import { expect, test } from 'vitest';

import { PendingCalls } from '../../../dbus/connection/pending-calls.js';
import { BusClosedError, BusTimeoutError } from '../../../dbus/connection/bus-types.js';

const FOREVER = { to: 'a.b', what: 'a.b.C', timeout: Infinity };

test('each call ends with its own answer', async () => {
  const calls = new PendingCalls<string>();
  const answers = [1, 2].map(async (serial) => calls.add(serial, FOREVER));
  calls.take(2, ':1.1')?.resolve('second');
  calls.take(1, ':1.1')?.resolve('first');
  expect(await Promise.all(answers)).toEqual(['first', 'second']);
  expect(calls.take(1, ':1.1')).toBeUndefined();
});

test.each([
  [':1.5', ':1.5', true],
  [':1.5', ':1.6', false],
  [':1.5', undefined, true],
  [':1.5', 'org.freedesktop.DBus', true],
  ['org.freedesktop.DBus', 'org.freedesktop.DBus', true],
  ['org.freedesktop.DBus', ':1.6', false],
  ['a.b', ':1.6', true],
])('a call to %s answered by %s: %s', (to, from, taken) => {
  const calls = new PendingCalls<string>();
  void calls.add(1, { ...FOREVER, to });
  expect(calls.take(1, from) !== undefined).toBe(taken);
  expect(calls.has(1)).toBe(!taken);
});

test('a call that was given up is not there any more', async () => {
  const calls = new PendingCalls<string>();
  await expect(calls.add(1, { ...FOREVER, timeout: 0 })).rejects.toBeInstanceOf(BusTimeoutError);
  expect(calls.has(1)).toBe(false);
});

test('all end when the connection does', async () => {
  const calls = new PendingCalls<string>();
  const rejected = [1, 2].map(async (serial) =>
    expect(calls.add(serial, { ...FOREVER, timeout: 1e10 })).rejects.toBeInstanceOf(BusClosedError),
  );
  calls.rejectAll(new BusClosedError('gone'));
  await Promise.all(rejected);
  expect([calls.has(1), calls.has(2)]).toEqual([false, false]);
});
