import { expect, test } from 'vitest';

import { UserShares } from '../../../daemon/pools/user-shares.js';

test('one user holds at most its share of the limit, and the administrator all of it', () => {
  let limit = 1000n;
  const shares = new UserShares(() => limit);
  shares.share = 50;
  expect([shares.allows(1000, 500n), shares.allows(1000, 501n)]).toEqual([true, false]);
  shares.add(1000, 400n);
  expect([shares.allows(1000, 100n), shares.allows(1000, 101n), shares.allows(1001, 500n)]).toEqual([
    true,
    false,
    true,
  ]);
  expect([shares.allows(0, 1000n), shares.allows(undefined, 1000n)]).toEqual([true, true]);
  shares.add(1000, -400n);
  expect(shares.heldBy(1000)).toBe(0n);
  limit = 100n;
  expect(shares.allows(1000, 51n)).toBe(false);
});
