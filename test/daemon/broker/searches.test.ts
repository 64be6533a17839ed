import { setImmediate as nextTurn } from 'node:timers/promises';

import { expect, test } from 'vitest';

import { Searches, STEP_RATE, type Steps } from '../../../daemon/broker/searches.js';
import { Accounts, ShareExceeded } from '../../../dbus/accounts/account.js';
import { OWNER } from './rig.js';

/** Milliseconds of each step: one fills a slice. */
const STEP_MS = 1;
const BELA = { ...OWNER, name: ':1.9', uid: 1001 };

class Bench {
  readonly accounts = new Accounts();
  /** Whose steps ran, in their order. */
  readonly ran: string[] = [];
  #now = 0;
  readonly searches = new Searches(this.accounts, () => this.#now);

  pass(milliseconds: number): void {
    this.#now += milliseconds;
  }

  *steps(name: string, count: number): Steps<string> {
    for (let i = 0; i < count; i++) {
      this.ran.push(name);
      this.#now += STEP_MS;
      yield;
    }
    return name;
  }
}

test('of all searches one slice runs in a turn of the event loop', async () => {
  const bench = new Bench();
  const all = Array.from({ length: 10 }, (_, i) => bench.searches.run(OWNER, bench.steps(String(i), 5)));
  await nextTurn();
  expect(bench.ran.length).toBeLessThanOrEqual(2);
  await expect(Promise.all(all)).resolves.toHaveLength(10);
  expect(bench.accounts.of(OWNER.uid).searches).toBe(0);
});

test('slices go by user, so that one search of another takes no longer for many', async () => {
  const bench = new Bench();
  const many = Array.from({ length: 10 }, () => bench.searches.run(OWNER, bench.steps('a', 50)));
  await expect(bench.searches.run(BELA, bench.steps('b', 5))).resolves.toBe('b');
  expect(bench.ran.length).toBeLessThanOrEqual(13);
  bench.searches.ownerLeft(OWNER.bus, OWNER.name);
  await Promise.allSettled(many);
});

test('a user that has its share waiting is refused, and another is not', async () => {
  const bench = new Bench();
  const { searches } = bench.accounts.of(OWNER.uid).share;
  const all = Array.from({ length: searches }, () => bench.searches.run(OWNER, bench.steps('a', 2)));
  const other = { ...OWNER, name: ':1.77' };
  await expect(bench.searches.run(other, bench.steps('a', 1))).rejects.toThrow(ShareExceeded);
  await expect(bench.searches.run(BELA, bench.steps('b', 1))).resolves.toBe('b');
  await Promise.all(all);
  await expect(bench.searches.run(other, bench.steps('a', 1))).resolves.toBe('a');
});

test('the searches of a connection that leaves end, and those of others go on', async () => {
  const bench = new Bench();
  const leaving = [1, 2].map(() => bench.searches.run(OWNER, bench.steps('a', 1000)));
  const staying = bench.searches.run({ ...OWNER, name: ':1.8' }, bench.steps('stays', 3));
  const codes = Promise.all(leaving.map((search) => search.catch((error: unknown) => error)));
  await nextTurn();
  bench.searches.ownerLeft(OWNER.bus, OWNER.name);
  await expect(codes).resolves.toMatchObject([{ code: 'Unavailable' }, { code: 'Unavailable' }]);
  await expect(staying).resolves.toBe('stays');
  expect(bench.ran.filter((name) => name === 'a').length).toBeLessThan(10);
});

test('what a search throws is its own', async () => {
  const bench = new Bench();
  const broken = function* (): Steps<never> {
    yield;
    throw new RangeError('no conflict');
  };
  await expect(bench.searches.run(OWNER, broken())).rejects.toThrow(RangeError);
  await expect(bench.searches.run(OWNER, bench.steps('a', 1))).resolves.toBe('a');
});

test('a user has so many steps at once and so many a second, the administrator as many as it takes', () => {
  const bench = new Bench();
  const taken = (owner: typeof OWNER, tries: number): number => {
    const { allowance } = bench.searches.of(owner);
    return Array.from({ length: tries }, () => allowance.take()).filter(Boolean).length;
  };
  const { burst, intervalMs } = STEP_RATE;
  expect(taken(OWNER, 2 * burst)).toBe(burst);
  // Another connection of the same user has nothing more, another user has all.
  expect(taken({ ...OWNER, name: ':1.8' }, 5)).toBe(0);
  expect(taken(BELA, 2 * burst)).toBe(burst);
  bench.pass(10 * intervalMs);
  expect(taken(OWNER, 100)).toBe(10);
  expect(taken({ ...OWNER, uid: 0 }, 2 * burst)).toBe(2 * burst);
});
