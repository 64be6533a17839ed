import { expect, test } from 'vitest';

import { FairQueue } from '../../dbus/fair-queue.js';

const rest = (turns: FairQueue<string>): string => {
  let all = '';
  for (let job = turns.next(); job !== undefined; job = turns.next()) all += job;
  return all;
};

test("everybody's next comes before anybody's second but one, and each one's own in order", () => {
  const turns = new FairQueue<string>();
  for (const job of 'abcd') turns.add('one', job, 1);
  turns.add('two', 'X', 1);
  turns.add('three', '1', 1);
  turns.add('three', '2', 1);
  expect(turns.next()).toBe('a');
  turns.add('four', '!', 1);
  expect(rest(turns)).toBe('X1b!2cd');
  expect(turns.empty).toBe(true);
});

test('what waits is counted, and what is dropped is not', () => {
  const turns = new FairQueue<string>();
  turns.add('one', 'a', 10);
  turns.add('one', 'b', 20);
  turns.add('two', 'c', 5);
  expect(turns.bytes).toBe(35);
  turns.next();
  expect(turns.bytes).toBe(25);
  turns.drop('one');
  turns.drop('nobody');
  expect(turns.bytes).toBe(5);
  expect(rest(turns)).toBe('c');
  turns.add('one', 'd', 7);
  turns.clear();
  expect([turns.bytes, turns.empty, turns.next()]).toEqual([0, true, undefined]);
});

test('whose next one is light goes first, and heavy ones can be taken before', () => {
  const turns = new FairQueue<string>(10);
  turns.add('one', 'A', 10);
  turns.add('one', 'b', 9);
  turns.add('two', 'C', 11);
  turns.add('three', 'd', 1);
  expect(turns.anyLight).toBe(true);
  expect(turns.next()).toBe('d');
  expect(turns.anyLight).toBe(false);
  turns.add('three', 'e', 1);
  expect(turns.nextHeavy()).toBe('A');
  expect(rest(turns)).toBe('ebC');
  expect(turns.nextHeavy()).toBeUndefined();
});

test('who is held has no turn, is counted, and is at the end of the line afterwards', () => {
  const turns = new FairQueue<string>();
  turns.add('one', 'a', 1);
  turns.hold('one');
  turns.hold('two');
  turns.add('two', 'b', 2);
  turns.add('three', 'c', 4);
  expect([turns.bytes, turns.bytesOf('two'), turns.isHeld('two'), turns.isHeld('three')]).toEqual([
    7,
    2,
    true,
    false,
  ]);
  expect(turns.readyBytes).toBe(4);
  expect(rest(turns)).toBe('c');
  turns.release('two');
  expect(turns.readyBytes).toBe(2);
  turns.release('one');
  turns.release('nobody');
  expect(rest(turns)).toBe('ba');
  turns.hold('one');
  turns.add('one', 'a', 1);
  turns.drop('one');
  expect([turns.bytes, turns.readyBytes, turns.isHeld('one')]).toEqual([0, 0, false]);
});
