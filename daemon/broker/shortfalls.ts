import type { Device, Inventory } from '../devices/inventory.js';
import { allLimits } from '../devices/device-constraints.js';
import { sizeContext } from '../pools/plan.js';
import type { ListedPool } from '../pools/pools.js';
import type { Policy } from '../policy/policy.js';
import type { Standing } from './standing.js';
import type { Shortfall } from './types.js';

export interface ShortfallFacts {
  readonly inventory: Inventory;
  readonly policy: Policy;
  readonly listed: readonly ListedPool[];
  readonly standing: (device: Device) => Standing;
}

/** What the machine lacks against policy: memory that a pool may hold and the heap has not, and memory that a device needs. */
export const shortfalls = (facts: ShortfallFacts): readonly Shortfall[] => [
  ...facts.listed.flatMap(smallHeap),
  ...contiguousLack(facts),
];

function smallHeap({ pool, plan }: ListedPool): readonly Shortfall[] {
  const { limit, heap } = plan;
  const available = heap.capacity?.value;
  if (available === undefined || available >= limit.value) return [];
  const text =
    `Pool ${pool.handle} (${pool.class}) may hold ${limit.value} bytes (${limit.source}), ` +
    `and its memory is ${available} bytes in all.`;
  return [{ class: pool.class, asked: limit.value, available, text }];
}

function contiguousLack({ inventory, policy, listed, standing }: ShortfallFacts): readonly Shortfall[] {
  const contiguous = listed
    .filter(({ pool }) => pool.class === 'contiguous')
    .map(({ pool }) => pool.facts.id);
  const lacking = inventory.devices.filter((device) => {
    const { rules, reach } = standing(device);
    return (
      allLimits(device, rules).some(({ kind, value }) => kind === 'contiguous' && value) &&
      !contiguous.some((heap) => reach.heaps.includes(heap))
    );
  });
  if (lacking.length === 0) return [];
  const nodes = lacking.map(({ node }) => node).join(', ');
  const asked = policy.pool('contiguous', sizeContext(inventory)).limit.value;
  const text = `No contiguous memory that can be used is in reach of ${nodes}, which cannot do without.`;
  return [{ class: 'contiguous', asked, available: 0n, text }];
}
