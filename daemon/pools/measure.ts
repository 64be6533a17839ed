import type { Inventory } from '../devices/inventory.js';
import type { Policy, PolicyValue } from '../policy/policy.js';
import { fitNeeds, type Fit } from './fit.js';
import { needsOf } from './needs.js';
import { sizeContext, type PoolPlan } from './plan.js';
import { roomsOf, type Room } from './rooms.js';
import { shortfallsOf, type Shortfall } from './shortfalls.js';

/** How a machine stands against its policy. */
export interface Measured {
  /** Bytes that one buffer may have. */
  readonly maxBuffer: PolicyValue<bigint>;
  readonly rooms: readonly Room[];
  /** One for each connected display and each camera. */
  readonly fits: readonly Fit[];
  readonly shortfalls: readonly Shortfall[];
}

/** Measures a machine against its policy. @param plans the pools that there are, best first */
export function measure(inventory: Inventory, policy: Policy, plans: readonly PoolPlan[]): Measured {
  const maxBuffer = policy.maxBuffer(sizeContext(inventory));
  const rooms = roomsOf(plans);
  const needs = needsOf(inventory.devices, policy);
  const fits = fitNeeds({ inventory, policy, needs, rooms, maxBuffer: maxBuffer.value });
  return {
    maxBuffer,
    rooms,
    fits,
    shortfalls: shortfallsOf({ inventory, policy, plans, rooms, fits, maxBuffer }),
  };
}
