import type { Device, Inventory } from '../devices/inventory.js';
import { reachOf, type Reach } from '../devices/reach.js';
import type { DeviceRules, Policy } from '../policy/policy.js';

/** Where a device stands: what policy says of it, and which heaps it can import from. */
export interface Standing {
  readonly rules: DeviceRules;
  readonly reach: Reach;
}

export function standingOf(device: Device, inventory: Inventory, policy: Policy): Standing {
  const rules = policy.device(device);
  return { rules, reach: reachOf(device, inventory.heaps, inventory.reach, rules) };
}
