import { expect, test } from 'vitest';

import { RecentMap } from '../../../daemon/base/recent-map.js';

test('of more than there may be, the least recently used is forgotten, and not the busiest', () => {
  const map = new RecentMap<string, object>(2);
  const made: string[] = [];
  const use = (key: string): string | undefined =>
    map.use(key, () => {
      made.push(key);
      return {};
    }).forgotten?.[0];
  expect([use('busy'), use('idle'), use('busy'), use('new')]).toEqual([
    undefined,
    undefined,
    undefined,
    'idle',
  ]);
  expect(use('busy')).toBeUndefined();
  expect(made).toEqual(['busy', 'idle', 'new']);
  map.clear();
  expect([...map.values()]).toEqual([]);
});
