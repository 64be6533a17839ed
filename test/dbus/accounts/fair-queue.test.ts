import { expect, test } from 'vitest';

import { Accounts } from '../../../dbus/accounts/account.js';
import { FairQueue } from '../../../dbus/accounts/fair-queue.js';

const accounts = new Accounts();
const [ANNA, BELA] = [accounts.of(1000), accounts.of(1001)];

/** Takes out all that waits, each of which costs as much as `cost` says. */
const rest = (queue: FairQueue<string>, cost: (job: string) => number = () => 1): string => {
  let all = '';
  for (let turn = queue.next(); turn !== undefined; turn = queue.next()) {
    all += turn.job;
    turn.charge(cost(turn.job));
  }
  return all;
};

const addAll = (queue: FairQueue<string>, account: typeof ANNA, name: string, jobs: string): void => {
  for (const job of jobs) queue.add(account, name, job, 1);
};

test('turns go by user, then by connection, and the jobs of each connection in order', () => {
  const queue = new FairQueue<string>();
  addAll(queue, ANNA, ':1', 'abc');
  addAll(queue, ANNA, ':2', 'mn');
  addAll(queue, BELA, ':3', 'XYZ');
  expect(rest(queue)).toBe('aXmYbZnc');
  expect(queue.empty).toBe(true);
});

test('two hundred connections of one user get no more turns than the one of another', () => {
  const queue = new FairQueue<string>();
  for (let i = 0; i < 200; i++) queue.add(ANNA, `:${i}`, 'a');
  addAll(queue, BELA, ':b', 'bbb');
  expect(rest(queue).slice(0, 7)).toBe('abababa');
});

test('the next turn is of the one that used least, as far as others had turns meanwhile', () => {
  const queue = new FairQueue<string>();
  addAll(queue, ANNA, ':1', 'aaa');
  addAll(queue, BELA, ':2', 'bbbbbb');
  expect(rest(queue, (job) => (job === 'a' ? 3 : 1))).toBe('abbbabbba');
  // Those who rested begin alike.
  addAll(queue, ANNA, ':1', 'aa');
  addAll(queue, BELA, ':2', 'bb');
  expect(rest(queue)).toMatch(/^(?:a?b|b?a)/);
});

test('a rest saves up nothing, and what was done at once counts', () => {
  const queue = new FairQueue<string>();
  for (let i = 0; i < 1000; i++) queue.serveAtOnce(ANNA, 1);
  addAll(queue, ANNA, ':1', 'aa');
  addAll(queue, BELA, ':2', 'bbbb');
  // Anna is behind by her last one alone.
  expect(rest(queue)).toBe('babab b'.replaceAll(' ', ''));
});

test('what waits is counted by user and connection, and what is dropped is not', () => {
  const queue = new FairQueue<string>();
  queue.add(ANNA, ':1', 'a', 10);
  queue.add(ANNA, ':2', 'b', 20);
  queue.add(BELA, ':3', 'c', 5);
  expect([queue.bytes, queue.bytesOf(ANNA), queue.bytesOfRequester(':2')]).toEqual([35, 30, 20]);
  expect(queue.drop(':2')).toEqual(['b']);
  expect(queue.drop(':9')).toEqual([]);
  expect([queue.bytes, queue.bytesOf(ANNA), queue.bytesOfRequester(':2')]).toEqual([15, 10, 0]);
  expect(rest(queue)).toBe('ac');
  queue.add(ANNA, ':1', 'd', 7);
  queue.clear();
  expect([queue.bytes, queue.empty, queue.next()]).toEqual([0, true, undefined]);
});

test('one that is held has no turn, is counted, and has it afterwards as its own user', () => {
  const queue = new FairQueue<string>();
  queue.hold(accounts.strangers, ':1');
  queue.add(accounts.strangers, ':1', 'a', 1);
  queue.add(BELA, ':2', 'b', 4);
  expect([queue.bytesOf(accounts.strangers), queue.isHeld(':1'), queue.isHeld(':2')]).toEqual([
    1,
    true,
    false,
  ]);
  expect(rest(queue)).toBe('b');
  expect(queue.empty).toBe(true);
  queue.release(ANNA, ':1');
  queue.release(ANNA, ':9');
  expect([queue.bytesOf(accounts.strangers), queue.bytesOf(ANNA)]).toEqual([0, 1]);
  expect(rest(queue)).toBe('a');
  queue.hold(ANNA, ':1');
  queue.add(ANNA, ':1', 'a', 1);
  queue.drop(':1');
  expect([queue.bytes, queue.isHeld(':1'), queue.empty]).toEqual([0, false, true]);
});

test('what was begun goes on before what the same connection has waiting', () => {
  const queue = new FairQueue<string>();
  addAll(queue, ANNA, ':1', 'ab');
  queue.next()?.charge(1);
  queue.putBack(ANNA, ':1', 'A');
  expect(rest(queue)).toBe('Ab');
});

test('one that was held twice has a turn when it was released twice', () => {
  const queue = new FairQueue<string>();
  queue.hold(ANNA, ':1.1');
  queue.hold(ANNA, ':1.1');
  queue.add(ANNA, ':1.1', 'a');
  queue.release(ANNA, ':1.1');
  expect(queue.next()).toBeUndefined();
  queue.release(ANNA, ':1.1');
  expect(queue.next()?.job).toBe('a');
});
