import { openSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';

import { expect, test } from 'vitest';

import { Accounts, type Account } from '../../../dbus/accounts/account.js';
import type { Progress } from '../../../dbus/accounts/progress.js';
import { CallQueue, type CallSource } from '../../../dbus/connection/call-queue.js';
import type { Frame } from '../../../dbus/connection/framer.js';
import { MESSAGE_TYPE } from '../../../dbus/connection/header.js';
import { closeAll, OwnedFd } from '../../../dbus/owned-fd.js';
import { gate } from '../../harness/gate.js';

/** Milliseconds that use up what calls may take in a turn of the event loop. */
const LONG = 2;

const frame = (sender: string, serial: number, bytes = 64): Frame => ({
  header: { type: MESSAGE_TYPE.call, little: true, flags: 0, serial, bodyLength: bytes, unixFds: 0, sender },
  body: Buffer.alloc(bytes),
  fds: [],
});

/** A queue, and what became of its calls, each by its sender and its serial. */
class Counter {
  readonly handled: string[] = [];
  readonly refused: string[] = [];
  congested = false;
  /** Milliseconds that each call takes. */
  takes = 0;
  /** Called with each call that is handled. */
  meanwhile: (frame: Frame) => void = () => undefined;
  readonly queue: CallQueue;
  readonly progress: Progress;
  readonly bus: CallSource;
  #now = 0;

  constructor() {
    const name = ({ header }: Frame): string => `${header.sender ?? ''}${header.serial}`;
    const congested = (): boolean => this.congested;
    const handler = {
      handle: (call: Frame): void => {
        this.handled.push(name(call));
        this.meanwhile(call);
        this.pass(this.takes);
      },
      refuse: (call: Frame): void => {
        this.refused.push(name(call));
        closeAll(call.fds);
      },
      get congested(): boolean {
        return congested();
      },
    };
    const accounts = new Accounts();
    const uids = new Map([['root', 0]]);
    const ofSender = (sender: string): Account | undefined => {
      if (sender.startsWith('new')) return undefined;
      // Connections of one user have its name in front of theirs.
      const user = sender.replace(/(?:(?<=anna)|-).*$/, '');
      uids.set(user, uids.get(user) ?? 1000 + uids.size);
      return accounts.of(uids.get(user) ?? 0);
    };
    const { strangers, progress } = accounts;
    this.progress = progress;
    this.bus = handler;
    this.queue = new CallQueue(() => this.#now, handler, { strangers, ofSender });
    this.queue.follow({ strangers, ofSender, progress });
  }

  /** As one read brings them. */
  take(...frames: readonly Frame[]): void {
    this.queue.begin();
    for (const call of frames) this.queue.take(call, this.bus);
  }

  /** Milliseconds pass, for the queue. */
  pass(milliseconds: number): void {
    this.#now += milliseconds;
  }

  /** Until nothing waits any more; each turn of the event loop takes a millisecond. */
  async rest(): Promise<void> {
    while (this.queue.waiting) {
      await nextTurn();
      this.pass(1);
    }
  }
}

const many = (sender: string, count: number, bytes?: number): readonly Frame[] =>
  Array.from({ length: count }, (_, i) => frame(sender, i, bytes));

test('what takes no time is handled as it comes', () => {
  const { queue, bus, handled } = new Counter();
  queue.begin();
  expect(queue.take(frame('a', 1), bus)).toBe('handled');
  expect(queue.take(frame('b', 1), bus)).toBe('handled');
  expect(handled).toEqual(['a1', 'b1']);
  expect(queue.waiting).toBe(false);
});

test('what takes long waits, and everybody has a turn', async () => {
  const counter = new Counter();
  counter.takes = LONG;
  counter.take(...many('a', 4), frame('b', 0), frame('c', 0));
  expect(counter.handled).toEqual(['a0']);
  await counter.rest();
  expect(counter.handled).toEqual(['a0', 'b0', 'c0', 'a1', 'a2', 'a3']);
});

test('turns go by user: two hundred connections of one get no more than the one of another', async () => {
  const counter = new Counter();
  counter.takes = LONG;
  const ofAnna = Array.from({ length: 200 }, (_, i) => frame(`anna${i}`, 0));
  counter.take(frame('first', 0), ...ofAnna, ...many('bela', 2));
  await counter.rest();
  expect(counter.handled.indexOf('bela1')).toBeLessThan(6);
});

test('turns go by what calls cost: one that asks for what takes long waits for others', async () => {
  const counter = new Counter();
  counter.meanwhile = ({ header }) => {
    counter.pass(header.sender === 'anna' ? 10 : LONG);
  };
  counter.take(frame('first', 0), ...many('anna', 3), ...many('bela', 6));
  await counter.rest();
  expect(counter.handled.join(' ')).toBe('first0 anna0 bela0 bela1 bela2 bela3 bela4 anna1 bela5 anna2');
});

test('half of what its user may have waiting is kept of one connection, what is more refused at once', async () => {
  const counter = new Counter();
  counter.congested = true;
  counter.take(...many('anna', 2000, 1024), frame('anna-2', 0));
  expect(counter.handled).toEqual([]);
  expect(counter.refused).toHaveLength(2000 - 512);
  expect(counter.refused).not.toContain('anna-20');
  counter.congested = false;
  counter.queue.resume();
  await counter.rest();
  expect(counter.handled).toHaveLength(513);
});

test('calls that wait while none is handled are no progress, but for a bus that does not read', async () => {
  const counter = new Counter();
  const { progress, queue } = counter;
  counter.takes = LONG;
  counter.take(...many('anna', 3));
  expect([progress.look(), progress.look()]).toEqual([true, false]);
  counter.congested = true;
  expect(progress.look()).toBe(true);
  counter.congested = false;
  queue.resume();
  await counter.rest();
  expect([progress.look(), progress.look()]).toEqual([true, true]);
  counter.take(...many('anna', 3));
  queue.close();
  progress.look();
  expect(progress.look()).toBe(true);
});

test('a stranger finds room among strangers that flood', async () => {
  const counter = new Counter();
  counter.congested = true;
  for (let connection = 0; connection < 100; connection++)
    counter.take(...many(`new${connection}-`, 100, 1024));
  counter.take(frame('new', 0), frame('new', 1));
  counter.congested = false;
  counter.queue.resume();
  await counter.rest();
  expect(counter.handled).toEqual(expect.arrayContaining(['new0', 'new1']));
  // Every call was answered in one way or the other.
  expect(counter.handled.length + counter.refused.length).toBe(100 * 100 + 2);
});

test('however many users flood, one that comes later finds room, and the administrator has its own', async () => {
  const counter = new Counter();
  counter.congested = true;
  for (let uid = 0; uid < 50; uid++) counter.take(...many(`user${uid}-`, 2000, 1024));
  counter.take(frame('late', 0));
  counter.take(...many('root', 800, 1024));
  counter.congested = false;
  counter.queue.resume();
  await counter.rest();
  expect(counter.handled).toContain('late0');
  expect(counter.handled.filter((name) => name.startsWith('root'))).toHaveLength(800);
  // Each of the fifty has about as much as every other.
  const kept = Array.from({ length: 50 }, (_, uid) =>
    counter.handled.filter((name) => name.startsWith(`user${uid}-`)),
  );
  expect(Math.min(...kept.map(({ length }) => length))).toBeGreaterThan(60);
});

test('descriptors never wait: a call that brings some is handled at once', () => {
  const counter = new Counter();
  counter.congested = true;
  counter.take(frame('anna', 0), { ...frame('bela', 0), fds: [new OwnedFd(openSync('/dev/null', 'r'))] });
  expect(counter.handled).toEqual(['bela0']);
});

test('while answers pile up, nothing is handled', async () => {
  const counter = new Counter();
  counter.meanwhile = () => {
    counter.congested = true;
  };
  counter.take(...many('a', 3));
  for (let i = 0; i < 3; i++) await nextTurn();
  expect(counter.handled).toEqual(['a0']);
  counter.congested = false;
  counter.queue.resume();
  await nextTurn();
  expect(counter.handled).toEqual(['a0', 'a1']);
});

test('of whom something is still to be found out, the further calls come one by one afterwards', async () => {
  const counter = new Counter();
  const known = gate();
  counter.meanwhile = ({ header }) => {
    if (header.sender === 'new' && header.serial === 0) counter.queue.hold('new', known.opened);
  };
  counter.take(...many('new', 3), frame('b', 0));
  for (let i = 0; i < 3; i++) await nextTurn();
  expect(counter.handled).toEqual(['new0', 'b0']);
  counter.takes = LONG;
  known.open();
  await known.opened;
  await nextTurn();
  expect(counter.handled).toEqual(['new0', 'b0', 'new1']);
  await counter.rest();
  expect(counter.handled).toEqual(['new0', 'b0', 'new1', 'new2']);
});

test('one held is let go when what it waited for fails', async () => {
  const counter = new Counter();
  counter.queue.hold('new', Promise.reject(new Error('its credentials')));
  counter.take(...many('new', 2));
  expect(counter.handled).toEqual([]);
  await nextTurn();
  await counter.rest();
  expect(counter.handled).toEqual(['new0', 'new1']);
});

test('of one held too much is refused, and others are answered meanwhile', async () => {
  const counter = new Counter();
  const known = gate();
  counter.queue.hold('new', known.opened);
  counter.take(...many('new', 9000));
  expect(counter.refused.length).toBeGreaterThan(0);
  counter.take(frame('b', 0));
  expect(counter.handled).toEqual(['b0']);
  known.open();
  await known.opened;
  await counter.rest();
  expect(counter.handled.length + counter.refused.length).toBe(9001);
});

test('who left has nothing handled any more, held or not', async () => {
  const counter = new Counter();
  const known = gate();
  counter.takes = LONG;
  counter.meanwhile = () => {
    counter.queue.hold('new', known.opened);
  };
  counter.take(frame('first', 0), frame('new', 0), frame('gone', 0));
  counter.queue.left('gone');
  counter.queue.left('new');
  known.open();
  await known.opened;
  await counter.rest();
  expect(counter.handled).toEqual(['first0']);
});

test('a channel has a line of its own, which waits while its answers pile up, and its owner does not', async () => {
  const counter = new Counter();
  const handled: number[] = [];
  let congested = false;
  const channel: CallSource = {
    line: 'anna 1',
    handle: ({ header }) => {
      handled.push(header.serial);
      congested = true;
    },
    refuse: () => undefined,
    get congested(): boolean {
      return congested;
    },
  };
  counter.queue.begin();
  for (const serial of [1, 2, 3]) counter.queue.take(frame('anna', serial), channel);
  counter.queue.take(frame('anna', 9), counter.bus);
  expect(handled).toEqual([1]);
  expect(counter.handled).toEqual(['anna9']);
  congested = false;
  counter.queue.resume('anna', 'anna 1');
  await counter.rest();
  expect(handled).toEqual([1, 2]);
  counter.queue.left('anna 1');
  counter.queue.resume('anna', 'anna 1');
  await counter.rest();
  expect(handled).toEqual([1, 2]);
});
