import type { Inventory } from '../devices/inventory.js';
import { unknownDriverWarnings } from '../devices/unknown-drivers.js';
import type { Policy, PolicyValue } from '../policy/policy.js';
import { planPools, type PoolPlan, sizeContext } from './plan.js';
import { fitNeeds, type Fit } from './fit.js';
import { requirementsOf } from './requirements.js';
import { budgetGroupsOf, type BudgetGroup } from './budget-groups.js';
import { shortfallsOf, type Shortfall } from './shortfalls.js';

/** What a policy makes of a machine, as the broker would find it when all of its heaps open. */
export interface Simulation extends Measured {
  readonly inventory: Inventory;
  /** Best first. */
  readonly plans: readonly PoolPlan[];
  /** Bytes that all pools together may hand out. */
  readonly handOut: bigint;
  /** What a person should know besides, such as a driver that no rule knows. */
  readonly warnings: readonly string[];
}

export function simulate(inventory: Inventory, policy: Policy): Simulation {
  const plans = planPools(inventory, policy);
  const measured = measure(inventory, policy, plans);
  return {
    inventory,
    plans,
    ...measured,
    handOut: measured.groups.reduce((sum, { bytes }) => sum + bytes, 0n),
    warnings: [...inventory.warnings, ...unknownDriverWarnings(inventory, policy)],
  };
}

/** How a machine stands against its policy. */
export interface Measured {
  /** Bytes that one buffer may have. */
  readonly maxBuffer: PolicyValue<bigint>;
  readonly groups: readonly BudgetGroup[];
  /** One for each connected display and each camera. */
  readonly fits: readonly Fit[];
  readonly shortfalls: readonly Shortfall[];
}

/** Measures a machine against its policy. @param plans the pools that there are, best first */
export function measure(inventory: Inventory, policy: Policy, plans: readonly PoolPlan[]): Measured {
  const maxBuffer = policy.maxBuffer(sizeContext(inventory));
  const groups = budgetGroupsOf(plans);
  const requirements = requirementsOf(inventory.devices, policy);
  const fits = fitNeeds({ inventory, policy, requirements, groups, maxBuffer: maxBuffer.value });
  return {
    maxBuffer,
    groups,
    fits,
    shortfalls: shortfallsOf({ inventory, policy, plans, groups, fits, maxBuffer }),
  };
}
