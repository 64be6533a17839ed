import { expect, test } from 'vitest';

import { Watchers } from '../../../daemon/bus/watchers.js';

test('a user and the administrators watch what belongs to the user', () => {
  const watchers = new Watchers();
  watchers.add(':1.1', 1000);
  watchers.add(':1.2', 1001);
  watchers.add(':1.3', 0);
  watchers.add(':1.1', 1000);
  expect(watchers.of(1000)).toEqual([':1.1', ':1.3']);
  expect(watchers.of(1002)).toEqual([':1.3']);
  expect(watchers.of(0)).toEqual([':1.3']);
  watchers.remove(':1.3');
  watchers.remove(':1.4');
  expect(watchers.of(1000)).toEqual([':1.1']);
  watchers.remove(':1.1');
  expect(watchers.of(1000)).toEqual([]);
});

test('of one user the latest eight', () => {
  const watchers = new Watchers();
  for (let i = 0; i < 10; i += 1) watchers.add(`:1.${i}`, 1000);
  expect(watchers.of(1000)).toEqual([2, 3, 4, 5, 6, 7, 8, 9].map((i) => `:1.${i}`));
});
