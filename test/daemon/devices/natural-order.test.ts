import fc from 'fast-check';
import { expect, it } from 'vitest';

import { naturalOrder } from '../../../daemon/devices/sysfs.js';

const name = fc
  .array(fc.oneof(fc.nat(120).map(String), fc.constantFrom('0', '00', 'a', 'video', '-')))
  .map((parts) => parts.join(''));

it('sorts numbers in names by their value', () => {
  const sorted = ['card0', 'card1', 'card1-DP-2', 'card1-DP-10', 'card10', 'renderD128', 'video2', 'video10'];
  expect(sorted.toReversed().sort(naturalOrder)).toEqual(sorted);
});

it('sorts a name before those that it begins', () => {
  expect(naturalOrder('card', 'card0')).toBeLessThan(0);
  expect(naturalOrder('card0', 'card')).toBeGreaterThan(0);
});

it('is an order: only the same name is equal, and what is less than less is less', () => {
  fc.assert(
    fc.property(name, name, name, (a, b, c) => {
      expect(naturalOrder(a, b) === 0).toBe(a === b);
      expect(Math.sign(naturalOrder(a, b))).toBe(0 - Math.sign(naturalOrder(b, a)));
      if (naturalOrder(a, b) < 0 && naturalOrder(b, c) < 0) expect(naturalOrder(a, c)).toBeLessThan(0);
    }),
  );
});
