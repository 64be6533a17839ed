import fc from 'fast-check';
import { expect, test } from 'vitest';

import { TurnOrder, type Consumer } from '../../../dbus/accounts/turn-order.js';

interface Named extends Consumer {
  readonly name: string;
}

test('of any many that always have more, none falls behind another by more than what one turn costs', () => {
  const costs = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(costs, (each) => {
      const order = new TurnOrder<Named>();
      const items = each.map((cost, i) => ({ name: String(i), used: 0, cost }));
      for (const item of items) order.add(item);
      for (let turns = 0; turns < 200; turns++) {
        const next = order.take();
        const item = items.find((one) => one === next);
        if (item === undefined) throw new Error('none is next');
        item.used += item.cost;
        order.add(item);
        const used = items.map((one) => one.used);
        expect(Math.max(...used) - Math.min(...used)).toBeLessThanOrEqual(Math.max(...each));
      }
    }),
  );
});

test('one that is removed has no turn, and one that was charged while it waited has a later one', () => {
  const order = new TurnOrder<Named>();
  const [a, b, c] = ['a', 'b', 'c'].map((name) => ({ name, used: 0 }));
  for (const item of [a, b, c]) if (item !== undefined) order.add(item);
  if (a === undefined || b === undefined) throw new Error('no items');
  order.remove(b);
  a.used = 5;
  expect([order.take()?.name, order.take()?.name, order.take(), order.empty]).toEqual([
    'c',
    'a',
    undefined,
    true,
  ]);
});
