import { describe, expect, it } from 'vitest';

import { Semaphore } from '../../../daemon/pools/semaphore.js';

describe('Gate', () => {
  it('runs no more jobs at once than it is wide, and all of them in their order', async () => {
    const semaphore = new Semaphore(2);
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
    const semaphore = new Semaphore(1);
    const failed = semaphore.run(() => Promise.reject(new Error('no')));
    const next = semaphore.run(() => Promise.resolve('yes'));
    await expect(failed).rejects.toThrow('no');
    await expect(next).resolves.toBe('yes');
    await expect(semaphore.run(() => Promise.resolve('again'))).resolves.toBe('again');
  });

  it('says when it begins to have jobs, and when it has none', async () => {
    const told: boolean[] = [];
    const semaphore = new Semaphore(2, (isBusy) => told.push(isBusy));
    const job = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    expect(told).toEqual([]);
    const [first, second, third] = [semaphore.run(job), semaphore.run(job), semaphore.run(job)];
    expect(told).toEqual([true]);
    await Promise.all([first, second, third]);
    expect(told).toEqual([true, false]);
    await semaphore.run(() => Promise.reject(new Error('no'))).catch(() => undefined);
    expect(told).toEqual([true, false, true, false]);
  });

  it('gives everybody a turn before anybody a second one', async () => {
    const semaphore = new Semaphore(1);
    const begun: string[] = [];
    const jobs = (requester: string, count: number): Promise<void>[] =>
      Array.from({ length: count }, (_, i) =>
        semaphore.run(async () => {
          begun.push(`${requester}${i}`);
          await new Promise((resolve) => setImmediate(resolve));
        }, requester),
      );
    await Promise.all([...jobs('a', 5), ...jobs('b', 2), ...jobs('c', 1)]);
    expect(begun).toEqual(['a0', 'a1', 'b0', 'c0', 'a2', 'b1', 'a3', 'a4']);
  });
});
