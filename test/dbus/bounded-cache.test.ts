import fc from 'fast-check';
import { expect, test } from 'vitest';

import { BoundedCache, CacheMemory } from '../../dbus/bounded-cache.js';

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

test('caches that share memory keep to its bound together, and the largest gives way', () => {
  const memory = new CacheMemory(100);
  const bytesOf = (_key: number, { bytes }: { readonly bytes: number }): number => bytes;
  const small = new BoundedCache<number, { readonly bytes: number }>(100, memory, bytesOf);
  const large = new BoundedCache<number, { readonly bytes: number }>(100, memory, bytesOf);
  small.set(0, { bytes: 10 });
  const sizes = fc.array(fc.integer({ min: 1, max: 200 }), { maxLength: 60 });
  fc.assert(
    fc.property(sizes, (all) => {
      for (const [key, bytes] of all.entries()) {
        large.set(key, { bytes });
        expect(memory.bytes).toBeLessThanOrEqual(100);
      }
    }),
  );
  for (let key = 0; key < 1000; key++) large.set(key, { bytes: 20 });
  expect(large.has(999)).toBe(true);
  expect(small.has(0)).toBe(true);
  expect(memory.bytes).toBe(small.bytes + large.bytes);
});
