import { describe, expect, it } from 'vitest';

import { planPools } from '../../../daemon/sizing/plan.js';
import { budgetGroupsOf } from '../../../daemon/sizing/budget-groups.js';
import { CMA, heapFacts, machine, MIB, policyOf, SYSTEM } from '../machine.js';

const UDMABUF = heapFacts('udmabuf', { kind: 'udmabuf', name: 'udmabuf' });
const groups = (heaps: Parameters<typeof machine>[0], text: string) =>
  budgetGroupsOf(planPools(machine(heaps), policyOf(text)));

describe('roomsOf', () => {
  it('is one for the heaps of a class that draw on RAM, and one for each that has memory of its own', () => {
    const other = { ...CMA, id: 'dma-heap:other', name: 'other' };
    const all = groups(
      [SYSTEM, UDMABUF, CMA, other],
      '[Pool scattered]\nLimit=10M\n[Pool contiguous]\nLimit=9M\n',
    );
    expect(all.map((group) => [group.class, group.plans.map(({ heap }) => heap.id), group.bytes])).toEqual([
      ['scattered', ['dma-heap:system', 'udmabuf'], 10n * MIB],
      ['contiguous', ['dma-heap:reserved'], 9n * MIB],
      ['contiguous', ['dma-heap:other'], 9n * MIB],
    ]);
  });

  it('holds no more than the heap has', () => {
    const [group] = groups([CMA], '[Pool contiguous]\nLimit=1G\n');
    expect(group).toMatchObject({ bytes: 64n * MIB, capacity: 64n * MIB, limit: { value: 1024n * MIB } });
  });
});
