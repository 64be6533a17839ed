import fc from 'fast-check';
import { expect, test } from 'vitest';

import { BoundedCache } from '../../dbus/bounded-cache.js';

test('what was used among the last few is there, and nothing is ever more than twice as many', () => {
  const key = fc.nat(20);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), fc.array(key, { maxLength: 60 }), (size, keys) => {
      const recent = new BoundedCache<number, { readonly of: number }>(size);
      const used: number[] = [];
      for (const one of keys) {
        const last = new Set(used.slice(-size));
        const value = recent.get(one);
        if (last.has(one)) expect(value).toEqual({ of: one });
        if (value === undefined) recent.set(one, { of: one });
        used.push(one);
      }
      const there = Array.from({ length: 21 }, (_, i) => i).filter((one) => recent.has(one));
      expect(there.length).toBeLessThanOrEqual(2 * size);
    }),
  );
});
