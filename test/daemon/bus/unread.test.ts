import { expect, test } from 'vitest';

import { UnreadBytes } from '../../../daemon/bus/unread.js';
import { Accounts } from '../../../dbus/accounts/account.js';
import { BusCallError, type MethodCall, type Reply } from '../../../dbus/connection/bus-types.js';
import { ManualTimers } from '../manual-timers.js';
import { v } from './wire.js';

const UID = 1000;
const MIB = 2 ** 20;

class Rig {
  readonly accounts = new Accounts();
  readonly account = this.accounts.of(UID);
  readonly timers = new ManualTimers();
  /** What waits on the bus, by connection; the error when it does not say. */
  queued: number | string = 0;
  readonly asked: string[] = [];
  readonly lost: string[] = [];
  readonly ending = new AbortController();
  readonly unread = new UnreadBytes({
    bus: { call: (call) => this.#answer(call) },
    accountOf: () => this.account,
    later: this.timers.later,
    clock: this.timers.clock,
    lost: (name) => this.lost.push(name),
    end: this.ending.signal,
  });

  async #answer({ body = [] }: MethodCall): Promise<Reply> {
    await Promise.resolve();
    for (const name of body) if (typeof name === 'string') this.asked.push(name);
    if (typeof this.queued === 'string') throw new BusCallError(this.queued, '');
    return { signature: 'a{sv}', body: [[['OutgoingBytes', v('u', this.queued)]]], fds: [] };
  }

  /** Whether the user may be answered by now. */
  async answers(room: Promise<void> | undefined): Promise<boolean> {
    const late = new Promise<boolean>((resolve) => setImmediate(resolve, false));
    return room === undefined || Promise.race([room.then(() => true), late]);
  }
}

test('what is within the share is sent at once, and the bus is not asked', () => {
  const rig = new Rig();
  for (let i = 0; i < 8; i++) rig.unread.sent(`:1.${i}`, MIB);
  expect(rig.unread.room(rig.account)).toBeUndefined();
  expect(rig.asked).toEqual([]);
});

test('beyond it the bus is asked, and one that has read is answered', async () => {
  const rig = new Rig();
  rig.unread.sent(':1.1', 9 * MIB);
  rig.unread.sent(':1.2', 100);
  expect(await rig.answers(rig.unread.room(rig.account))).toBe(true);
  expect(rig.asked).toEqual([':1.1']);
  expect(rig.account.unreadBytes).toBe(100);
});

test('one that does not read is not answered until it does, whichever connection asks', async () => {
  const rig = new Rig();
  rig.queued = 9 * MIB;
  rig.unread.sent(':1.1', 9 * MIB);
  const room = rig.unread.room(rig.account);
  expect(await rig.answers(room)).toBe(false);
  expect(rig.unread.room(rig.account)).toBe(room);
  rig.queued = 1000;
  rig.timers.pass(50);
  expect(await rig.answers(room)).toBe(true);
  expect(rig.account.unreadBytes).toBe(1000);
});

test('one that does not read for long loses what it was given, once', async () => {
  const rig = new Rig();
  rig.queued = 9 * MIB;
  rig.unread.sent(':1.1', 9 * MIB);
  const room = rig.unread.room(rig.account);
  for (let i = 0; i < 12; i++) {
    expect(await rig.answers(room)).toBe(false);
    rig.timers.pass(1000);
  }
  expect(rig.lost).toEqual([':1.1']);
  rig.unread.forget(':1.1');
  rig.timers.pass(50);
  expect(await rig.answers(room)).toBe(true);
});

test('a bus that ends such connections itself is enough, and without an answer time has to do', async () => {
  const rig = new Rig();
  rig.queued = 'org.freedesktop.DBus.Error.UnknownMethod';
  rig.unread.sent(':1.1', 9 * MIB);
  expect(await rig.answers(rig.unread.room(rig.account))).toBe(true);
  rig.queued = 'org.freedesktop.DBus.Error.AccessDenied';
  rig.unread.sent(':1.1', 9 * MIB);
  const room = rig.unread.room(rig.account);
  expect(await rig.answers(room)).toBe(false);
  rig.timers.pass(500);
  expect(await rig.answers(room)).toBe(true);
});

test('one that leaves while the bus is asked counts for nothing afterwards, and not for less', async () => {
  const rig = new Rig();
  rig.queued = 'org.freedesktop.DBus.Error.NameHasNoOwner';
  rig.unread.sent(':1.1', 9 * MIB);
  const room = rig.unread.room(rig.account);
  rig.unread.forget(':1.1');
  expect(await rig.answers(room)).toBe(true);
  expect(rig.account.unreadBytes).toBe(0);
});

test('a shutdown waits for none of them', async () => {
  const rig = new Rig();
  rig.queued = 9 * MIB;
  rig.unread.sent(':1.1', 9 * MIB);
  const room = rig.unread.room(rig.account);
  expect(await rig.answers(room)).toBe(false);
  rig.ending.abort();
  rig.timers.pass(50);
  expect(await rig.answers(room)).toBe(true);
});
