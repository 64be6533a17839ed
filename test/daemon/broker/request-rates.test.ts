import { describe, expect, it } from 'vitest';

import { RequestRates, type Rate } from '../../../daemon/broker/request-rates.js';
import { naming } from '../../harness/naming.js';

const RATE: Rate = {
  rate: { value: 10, source: 'policy:file:1' },
  burst: { value: 3, source: 'policy:file:2' },
};

describe('Rates', () => {
  it('lets so many through at once, and then as many as come together with time', () => {
    let now = 0;
    const rates = new RequestRates(() => now);
    const ask = (uid = 1000): boolean => rates.admit(uid, RATE) === undefined;
    expect([ask(), ask(), ask(), ask()]).toEqual([true, true, true, false]);
    now += 99;
    expect(ask()).toBe(false);
    now += 2;
    expect([ask(), ask()]).toEqual([true, false]);
    now += 60_000;
    expect([ask(), ask(), ask(), ask()]).toEqual([true, true, true, false]);
  });

  it('counts one user apart from another', () => {
    const rates = new RequestRates(() => 0);
    for (let i = 0; i < 10; i++) rates.admit(1000, RATE);
    expect(rates.admit(1001, RATE)).toBeUndefined();
  });

  it('says which limit it was, and when to come again', () => {
    const rates = new RequestRates(() => 0);
    for (let i = 0; i < 3; i++) rates.admit(1000, RATE);
    expect(rates.admit(1000, RATE)).toMatch(
      naming('Rate', 1000, 10, 'policy:file:1', 'Burst', 3, 'policy:file:2', 100),
    );
  });

  it('remembers no more users than it must', () => {
    const rates = new RequestRates(() => 0);
    for (let i = 0; i < 3; i++) rates.admit(1, RATE);
    expect(rates.admit(1, RATE)).toBeDefined();
    for (let uid = 2; uid < 3000; uid++) rates.admit(uid, RATE);
    expect(rates.admit(1, RATE)).toBeUndefined();
  });

  it('forgets the user that asked longest ago, not the one that asks most', () => {
    const rates = new RequestRates(() => 0);
    for (let i = 0; i < 3; i++) rates.admit(1, RATE);
    for (let uid = 2; uid < 3000; uid++) {
      rates.admit(uid, RATE);
      expect(rates.admit(1, RATE)).toBeDefined();
    }
  });

  it('follows a policy that changes', () => {
    const rates = new RequestRates(() => 0);
    expect(rates.admit(1000, RATE)).toBeUndefined();
    const tight = { ...RATE, burst: { value: 1, source: 'policy:file:2' } };
    expect([rates.admit(1000, tight), rates.admit(1000, tight)]).toEqual([undefined, expect.any(String)]);
  });
});
