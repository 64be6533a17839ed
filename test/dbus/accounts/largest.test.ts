import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { Largest } from '../../../dbus/accounts/largest.js';

describe('Largest', () => {
  it('finds nothing where nothing holds memory', () => {
    const largest = new Largest<{ readonly id: number }>();
    const one = { id: 1 };
    largest.set(one, 5);
    largest.set(one, 0);
    expect(largest.find()).toBeUndefined();
  });

  it('finds the largest of few, and of many one that has at least half of what the largest has', () => {
    const changes = fc.array(fc.tuple(fc.nat(40), fc.nat(5000)), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(changes, fc.integer({ min: 1, max: 40 }), (list, members) => {
        const all = Array.from({ length: members }, (_, id) => ({ id }));
        const largest = new Largest<(typeof all)[number]>();
        const sizes = new Map<object, number>();
        for (const [index, bytes] of list) {
          const member = all[index % members];
          if (member === undefined) continue;
          largest.set(member, bytes);
          sizes.set(member, bytes);
        }
        const most = Math.max(...sizes.values());
        const found = largest.find();
        const bytes = found === undefined ? 0 : (sizes.get(found) ?? 0);
        if (members <= 16) expect(bytes).toBe(most);
        else expect(bytes * 2).toBeGreaterThanOrEqual(most);
      }),
    );
  });
});
