import fc from 'fast-check';
import { expect, it } from 'vitest';

import { FdBudget } from '../../../client/connection/fd-budget.js';

const MOST = 48;

it('never lets more than 48 through, serves all, and in order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 16 }), { maxLength: 40 }), async (wishes) => {
      const budget = new FdBudget();
      const served: number[] = [];
      let outstanding = 0;
      await Promise.all(
        wishes.map(async (fds, index) => {
          const giveBack = await budget.take(fds);
          served.push(index);
          outstanding += fds;
          expect(outstanding).toBeLessThanOrEqual(MOST);
          await Promise.resolve();
          outstanding -= fds;
          giveBack();
        }),
      );
      expect(served).toEqual(wishes.map((_, index) => index));
    }),
  );
});

it('lets 48 through at once, and the next when some came back', async () => {
  const budget = new FdBudget();
  const [first] = await Promise.all([budget.take(16), budget.take(16), budget.take(16)]);
  let entered = false;
  const fourth = budget.take(16).then((giveBack) => {
    entered = true;
    return giveBack;
  });
  await Promise.resolve();
  expect(entered).toBe(false);
  first();
  first();
  await fourth;
  let fifth = false;
  void budget.take(1).then(() => {
    fifth = true;
  });
  await Promise.resolve();
  await Promise.resolve();
  expect(fifth).toBe(false);
});

it('lets through what may take long only where a full reply has room beside it', async () => {
  const budget = new FdBudget();
  const entered: string[] = [];
  const spare = (name: string): Promise<() => void> =>
    budget.spare(16).then((giveBack) => {
      entered.push(name);
      return giveBack;
    });
  const [first] = await Promise.all([spare('first'), spare('second')]);
  const third = spare('third');
  expect(budget.takeSpare(1)).toBeUndefined();
  const other = await budget.take(16);
  expect(entered).toEqual(['first', 'second']);
  first();
  await Promise.resolve();
  expect(entered).toEqual(['first', 'second']);
  other();
  await third;
  expect(entered).toEqual(['first', 'second', 'third']);
});
