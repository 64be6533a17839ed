import { describe, expect, it } from 'vitest';

import { Semaphore } from '../../../daemon/pools/semaphore.js';
import { Accounts } from '../../../dbus/accounts/account.js';

const still = (): number => 0;

describe('Gate', () => {
  it('runs no more jobs at once than it is wide, and all of them in their order', async () => {
    const semaphore = new Semaphore(2, still);
    const begun: number[] = [];
    let running = 0;
    let most = 0;
    const job = async (n: number): Promise<number> => {
      begun.push(n);
      most = Math.max(most, ++running);
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
      return n;
    };
    const numbers = [0, 1, 2, 3, 4, 5, 6];
    const results = await Promise.all(numbers.map((n) => semaphore.run(() => job(n))));
    expect(results).toEqual(numbers);
    expect(begun).toEqual(numbers);
    expect(most).toBe(2);
  });

  it('goes on after a job that failed', async () => {
    const semaphore = new Semaphore(1, still);
    const failed = semaphore.run(() => Promise.reject(new Error('no')));
    const next = semaphore.run(() => Promise.resolve('yes'));
    await expect(failed).rejects.toThrow('no');
    await expect(next).resolves.toBe('yes');
    await expect(semaphore.run(() => Promise.resolve('again'))).resolves.toBe('again');
  });

  it('says when it begins to have jobs, and when it has none', async () => {
    const told: boolean[] = [];
    const semaphore = new Semaphore(2, still, (isBusy) => told.push(isBusy));
    const job = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    expect(told).toEqual([]);
    const [first, second, third] = [semaphore.run(job), semaphore.run(job), semaphore.run(job)];
    expect(told).toEqual([true]);
    await Promise.all([first, second, third]);
    expect(told).toEqual([true, false]);
    await semaphore.run(() => Promise.reject(new Error('no'))).catch(() => undefined);
    expect(told).toEqual([true, false, true, false]);
  });

  /** Runs what each user's connections ask, a second each. @returns the order in which it began, but for the first */
  async function order(asked: readonly (readonly [uid: number, name: string, seconds: number])[]) {
    const accounts = new Accounts();
    let now = 0;
    const semaphore = new Semaphore(1, () => now);
    const begun: string[] = [];
    const first = semaphore.run(() => Promise.resolve());
    const all = asked.map(([uid, name, seconds]) =>
      semaphore.run(
        async () => {
          begun.push(name);
          await Promise.resolve();
          now += seconds;
        },
        { account: accounts.of(uid), name },
      ),
    );
    await Promise.all([first, ...all]);
    return begun.join(' ');
  }

  it('gives every user a turn before any a second one, however many connections each has', async () => {
    const many = Array.from({ length: 4 }, (_, i) => [1000, `a${i}`, 1] as const);
    await expect(order([...many, [1001, 'b', 1], [1001, 'b', 1]])).resolves.toBe('a0 b a1 b a2 a3');
  });

  it('gives the next turn to the one whose jobs took less time', async () => {
    const heavy = Array.from({ length: 2 }, () => [1000, 'a', 5] as const);
    const light = Array.from({ length: 6 }, () => [1001, 'b', 1] as const);
    await expect(order([...heavy, ...light])).resolves.toBe('a b b b b b a b');
  });
});
