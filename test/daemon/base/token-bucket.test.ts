import { expect, test } from 'vitest';

import { TokenBucket } from '../../../daemon/base/token-bucket.js';

test('an allowance is used up, and grows again by one after each pause', () => {
  const allowance = new TokenBucket({ burst: 2, intervalMs: 100 });
  expect([0, 0, 0].map((now) => allowance.take(now))).toEqual([true, true, false]);
  expect(allowance.take(99)).toBe(false);
  expect(allowance.take(100)).toBe(true);
  expect(allowance.take(150)).toBe(false);
  expect(allowance.take(200)).toBe(true);
});

test('a long rest gives no more than what may be done at once', () => {
  const allowance = new TokenBucket({ burst: 2, intervalMs: 100 });
  allowance.take(0);
  expect([1e9, 1e9, 1e9].map((now) => allowance.take(now))).toEqual([true, true, false]);
});

test('to ask whether there is one takes none', () => {
  const allowance = new TokenBucket({ burst: 1, intervalMs: 100 });
  expect([allowance.has(0), allowance.has(0), allowance.take(0), allowance.has(50)]).toEqual([
    true,
    true,
    true,
    false,
  ]);
});
