import { expect, test } from 'vitest';

import { Accounts } from '../../../dbus/accounts/account.js';

test('a user has one account, and the administrator a larger share', () => {
  const accounts = new Accounts();
  expect(accounts.of(1000)).toBe(accounts.of(1000));
  expect(accounts.of(1000)).not.toBe(accounts.of(1001));
  expect(accounts.of(0).share.searches).toBeGreaterThan(accounts.of(1000).share.searches);
  expect([accounts.of(0).isPrivileged, accounts.of(1000).isPrivileged]).toEqual([true, false]);
});

test('of many users the least recent is forgotten, and none that has something under way', () => {
  const accounts = new Accounts();
  const busy = accounts.of(1);
  busy.underWay = 1;
  const [recent, least] = [accounts.of(2), accounts.of(3)];
  for (let uid = 10; uid < 10 + 1022; uid++) {
    accounts.of(uid);
    accounts.of(2);
  }
  expect(accounts.of(1)).toBe(busy);
  expect(accounts.of(2)).toBe(recent);
  expect(accounts.of(3)).not.toBe(least);
});
