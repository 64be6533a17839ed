import type { Limit, LimitValues } from '../../dbus/limits.js';
import type { Use } from '../../dbus/names.js';
import { CPU, type Device, type HeapFacts, type Inventory } from '../devices/inventory.js';
import { limitsInForce } from '../devices/limits-in-force.js';
import { importsForeign, reachedFor, reachOf } from '../devices/reach.js';
import { ruledHeaps } from '../devices/ruled-heaps.js';
import type { Policy } from '../policy/policy.js';
import type { Requirement } from './requirements.js';
import type { PoolPlan } from './plan.js';
import type { BudgetGroup } from './budget-groups.js';

/** How a need stands. */
export interface Fit {
  readonly requirement: Requirement;
  /** Whether its device takes contiguous memory only. */
  readonly contiguous: boolean;
  /** Whether its device takes memory for them that another driver made, as far as it is known without a trial. */
  readonly imports: boolean;
  /** Where its pictures may lie, best first. */
  readonly groups: readonly BudgetGroup[];
  /** Pictures that those hold while nothing else is in them. */
  readonly alone: bigint;
  /** Pictures that they hold while every other need has its own; as many as are wanted, at most. */
  readonly held: bigint;
}

export interface FitFacts {
  readonly inventory: Inventory;
  readonly policy: Policy;
  readonly requirements: readonly Requirement[];
  readonly groups: readonly BudgetGroup[];
  /** Bytes that one buffer may have. */
  readonly maxBuffer: bigint;
}

/** Lays all needs into the rooms: who has the fewest to choose from comes first, and takes the best of them first. */
export function fitNeeds({ inventory, policy, requirements, groups, maxBuffer }: FitFacts): readonly Fit[] {
  const heaps = ruledHeaps(inventory, policy);
  // What a display's driver takes from CMA is in the CMA heap as well, where there is one.
  const isCounted = (plan: PoolPlan): boolean =>
    !(plan.class === 'device' && plan.contiguous && groups.some((group) => group.class === 'contiguous'));
  const places = requirements.map((requirement) => {
    const demands = demandsOf(requirement, heaps, inventory, policy);
    const isSmallEnough = requirement.frame.bytes <= maxBuffer;
    const suitable = isSmallEnough
      ? groups.filter(({ plans }) => plans.some((plan) => isCounted(plan) && suits(plan, demands)))
      : [];
    const { contiguous, imports } = demands;
    return { requirement, contiguous, imports, groups: suitable };
  });
  const left = new Map(groups.map((group) => [group, group.bytes]));
  const held = new Map<Requirement, bigint>();
  for (const place of places.toSorted((a, b) => a.groups.length - b.groups.length)) {
    held.set(place.requirement, take(place.requirement, place.groups, left));
  }
  return places.map((place) => ({
    ...place,
    alone: place.groups.reduce((sum, { bytes }) => sum + bytes / place.requirement.frame.bytes, 0n),
    held: held.get(place.requirement) ?? 0n,
  }));
}

function take(
  { frame, frames }: Requirement,
  groups: readonly BudgetGroup[],
  left: Map<BudgetGroup, bigint>,
): bigint {
  let missing = BigInt(frames.value);
  for (const group of groups) {
    const there = left.get(group) ?? 0n;
    const many = there / frame.bytes < missing ? there / frame.bytes : missing;
    left.set(group, there - many * frame.bytes);
    missing -= many;
  }
  return BigInt(frames.value) - missing;
}

/** What a need asks of memory. */
interface Demands {
  readonly bytes: bigint;
  /** Heap ids. */
  readonly reach: readonly string[];
  readonly imports: boolean;
  readonly contiguous: boolean;
  readonly protected: boolean;
  readonly addressBits: number;
}

function demandsOf(
  { device, use, frame }: Requirement,
  heaps: readonly HeapFacts[],
  { reach }: Inventory,
  policy: Policy,
): Demands {
  const rules = policy.device(device);
  const limits = limitsInForce(device, rules, { uses: [use], format: undefined });
  const valuesOf = <K extends Limit>(kind: K): readonly LimitValues[K][] =>
    limits.flatMap(({ limit, value }) => (limit === kind ? [value as LimitValues[K]] : []));
  return {
    bytes: frame.bytes,
    reach: reachedFor(reachOf(device, heaps, reach, rules), [use]),
    imports: importsForeign(device, use, rules),
    contiguous: valuesOf('contiguous').includes(true),
    protected: valuesOf('protected').includes(true),
    addressBits: Math.min(64, ...valuesOf('address-bits')),
  };
}

const suits = (plan: PoolPlan, demands: Demands): boolean =>
  demands.reach.includes(plan.heap.id) &&
  (!demands.contiguous || plan.contiguous) &&
  demands.protected === (plan.class === 'protected') &&
  plan.addressBits <= demands.addressBits &&
  demands.bytes <= (plan.heap.maxBuffer?.value ?? demands.bytes);

/** The uses for which a device takes contiguous memory only. A program maps any pages, whatever a rule says. */
export function contiguousUses(device: Device, policy: Policy): readonly Use[] {
  if (device.node === CPU) return [];
  const rules = policy.device(device);
  return device.uses.filter((use) =>
    limitsInForce(device, rules, { uses: [use], format: undefined }).some(
      ({ limit, value }) => limit === 'contiguous' && value,
    ),
  );
}
