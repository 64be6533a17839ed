import { setImmediate as nextTurn } from 'node:timers/promises';

import { describe, expect, test } from 'vitest';

import { CallQueue } from '../../../dbus/connection/call-queue.js';
import type { Frame } from '../../../dbus/connection/framer.js';
import { MESSAGE_TYPE } from '../../../dbus/connection/header.js';
import { gate } from '../../harness/gate.js';

/** Bytes of a body that makes a call heavy. */
const LARGE = 32_768;
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
  rooms = 0;
  /** Milliseconds that each call takes. */
  takes = 0;
  /** Called with each call that is handled. */
  meanwhile: (frame: Frame) => void = () => undefined;
  readonly queue: CallQueue;
  #now = 0;

  constructor() {
    const name = ({ header }: Frame): string => `${header.sender ?? ''}${header.serial}`;
    const congested = (): boolean => this.congested;
    this.queue = new CallQueue(() => this.#now, {
      handle: (call) => {
        this.handled.push(name(call));
        this.meanwhile(call);
        this.pass(this.takes);
      },
      refuse: (call) => {
        this.refused.push(name(call));
      },
      room: () => {
        this.rooms++;
      },
      get congested() {
        return congested();
      },
    });
  }

  /** As one read brings them. */
  take(...frames: readonly Frame[]): void {
    this.queue.begin();
    for (const call of frames) this.queue.take(call);
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
  const { queue, handled } = new Counter();
  queue.begin();
  expect(queue.take(frame('a', 1))).toBe(true);
  expect(queue.take(frame('b', 1))).toBe(true);
  expect(handled).toEqual(['a1', 'b1']);
  expect(queue.waiting).toBe(false);
});

test('what takes long waits, and everybody has a turn', async () => {
  const counter = new Counter();
  counter.takes = LONG;
  counter.take(...many('a', 4), frame('b', 0), frame('c', 0));
  expect(counter.handled).toEqual(['a0']);
  await counter.rest();
  expect(counter.handled).toEqual(['a0', 'a1', 'b0', 'c0', 'a2', 'a3']);
});

test("light calls go before heavy ones, but for one's own, which stay in order", async () => {
  const counter = new Counter();
  counter.takes = LONG;
  counter.take(frame('a', 0, LARGE), frame('a', 1), frame('b', 0, LARGE), frame('c', 0), frame('d', 0));
  expect(counter.handled).toEqual([]);
  await counter.rest();
  expect(counter.handled).toEqual(['c0', 'd0', 'a0', 'a1', 'b0']);
});

test('one heavy call has its turn in each slice of light ones', async () => {
  const counter = new Counter();
  counter.takes = LONG;
  let serial = 0;
  counter.meanwhile = () => {
    if (serial < 8) counter.queue.take(frame('light', serial++));
  };
  counter.take(frame('heavy', 0, LARGE), frame('light', serial++));
  await counter.rest();
  expect(counter.handled.indexOf('heavy0')).toBeLessThan(4);
});

test('no heavy call is handled in a turn in which another came, because others may be behind them', async () => {
  const counter = new Counter();
  for (let i = 0; i < 5; i++) {
    counter.take(frame('a', i, LARGE));
    await nextTurn();
    expect(counter.handled).toEqual([]);
  }
  counter.take(frame('b', 0));
  await counter.rest();
  expect(counter.handled).toEqual(['b0', 'a0', 'a1', 'a2', 'a3', 'a4']);
});

test('heavy calls of one that has a mebibyte waiting are refused, and nobody else is', async () => {
  const counter = new Counter();
  counter.take(...many('a', 40, LARGE), frame('a', 40), frame('b', 0, LARGE));
  expect(counter.refused).toEqual(Array.from({ length: 9 }, (_, i) => `a${31 + i}`));
  await counter.rest();
  expect(counter.handled).toHaveLength(33);
  expect(counter.handled).toContain('a40');
  expect(counter.handled).toContain('b0');
});

test('heavy calls are refused when the many have 4 MiB waiting, and light ones still taken', async () => {
  const counter = new Counter();
  for (let i = 0; i < 10; i++) counter.take(...many(`s${i}-`, 31, LARGE));
  expect(counter.refused.length).toBeGreaterThan(0);
  counter.take(frame('last', 0, LARGE), frame('light', 0));
  expect(counter.refused.at(-1)).toBe('last0');
  expect(counter.queue.full).toBe(false);
  await counter.rest();
  expect(counter.handled[0]).toBe('light0');
  counter.take(frame('last', 1, LARGE));
  await counter.rest();
  expect(counter.handled.at(-1)).toBe('last1');
});

test('at 8 MiB it is full, and says when there is room', async () => {
  const counter = new Counter();
  counter.congested = true;
  counter.take(...many('a', 8000));
  expect(counter.queue.full).toBe(true);
  await nextTurn();
  expect(counter.rooms).toBe(0);
  counter.congested = false;
  counter.queue.resume();
  await counter.rest();
  expect(counter.rooms).toBe(1);
  expect(counter.handled).toHaveLength(8000);
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

test('somebody held never makes it full, as what is waited for comes with what is read; too much is refused', async () => {
  const counter = new Counter();
  const known = gate();
  counter.queue.hold('new', known.opened);
  counter.take(...many('new', 9000));
  expect(counter.queue.full).toBe(false);
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

describe('of a flood', () => {
  test('nothing is handled until none of it came for two milliseconds', async () => {
    const counter = new Counter();
    counter.take(...many('a', 8, LARGE));
    for (let i = 0; i < 4; i++) await nextTurn();
    expect(counter.handled).toEqual([]);
    counter.take(frame('b', 0));
    counter.pass(2);
    for (let i = 0; i < 4; i++) await nextTurn();
    expect(counter.handled).toEqual(['b0']);
    counter.pass(1);
    await counter.rest();
    expect(counter.handled).toHaveLength(9);
  });

  test('one call is handled every 20 milliseconds, however long it goes on', async () => {
    const counter = new Counter();
    const turns = 200;
    for (let i = 0; i < turns; i++) {
      counter.take(frame('a', i, LARGE));
      await nextTurn();
      counter.pass(1);
    }
    expect(counter.refused.length).toBeGreaterThan(0);
    expect(counter.handled.length).toBeGreaterThanOrEqual(turns / 25);
    expect(counter.handled.length).toBeLessThanOrEqual(turns / 20);
    counter.pass(3);
    await counter.rest();
    expect(counter.handled.length + counter.refused.length).toBe(turns);
  });

  test('a few calls are handled in the next turn', async () => {
    const counter = new Counter();
    counter.take(...many('a', 2, LARGE));
    await nextTurn();
    await nextTurn();
    expect(counter.handled).toEqual(['a0', 'a1']);
  });
});
