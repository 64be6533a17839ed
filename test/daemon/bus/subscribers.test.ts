import { expect, test } from 'vitest';

import type { Viewer } from '../../../daemon/bus/visibility.js';
import { Subscribers } from '../../../daemon/bus/subscribers.js';

const user = (uid: number): Pick<Viewer, 'uid' | 'seesOthers'> => ({ uid, seesOthers: false });

test('a user and whoever sees others watch what belongs to the user', () => {
  const watchers = new Subscribers();
  watchers.add(':1.1', user(1000));
  watchers.add(':1.2', user(1001));
  watchers.add(':1.3', { uid: 0, seesOthers: true });
  watchers.add(':1.1', user(1000));
  expect(watchers.of(1000)).toEqual(new Set([':1.1', ':1.3']));
  expect(watchers.of(1002)).toEqual(new Set([':1.3']));
  expect(watchers.of(0)).toEqual(new Set([':1.3']));
  watchers.remove(':1.3');
  watchers.remove(':1.4');
  expect(watchers.of(1000)).toEqual(new Set([':1.1']));
  watchers.remove(':1.1');
  expect(watchers.of(1000)).toEqual(new Set());
});

test('of one user the latest eight', () => {
  const watchers = new Subscribers();
  for (let i = 0; i < 10; i += 1) watchers.add(`:1.${i}`, user(1000));
  expect(watchers.of(1000)).toEqual(new Set([2, 3, 4, 5, 6, 7, 8, 9].map((i) => `:1.${i}`)));
});

test('who came to see others is told of all from then on, until it leaves', () => {
  const watchers = new Subscribers();
  watchers.add(':1.1', user(1000));
  expect(watchers.of(1001)).toEqual(new Set());
  watchers.add(':1.1', { uid: 1000, seesOthers: true });
  expect(watchers.of(1001)).toEqual(new Set([':1.1']));
  expect(watchers.of(1000)).toEqual(new Set([':1.1']));
  watchers.remove(':1.1');
  expect(watchers.of(1001)).toEqual(new Set());
});
