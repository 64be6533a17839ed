import type { Inventory } from '../devices/inventory.js';
import { unknownDriverWarnings } from '../devices/unknown-drivers.js';
import type { Policy } from '../policy/policy.js';
import { measure, type Measured } from './measure.js';
import { planPools, type PoolPlan } from './plan.js';

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
    handOut: measured.rooms.reduce((sum, { bytes }) => sum + bytes, 0n),
    warnings: [...inventory.warnings, ...unknownDriverWarnings(inventory, policy)],
  };
}
