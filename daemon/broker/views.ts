import type { Device } from '../devices/inventory.js';
import { allLimits } from '../devices/device-constraints.js';
import { reachedForAny } from '../devices/reach.js';
import type { Pool } from '../pools/pool.js';
import type { DeviceView } from './broker-types.js';
import type { Snapshot } from './snapshot.js';

export const deviceViews = (snapshot: Snapshot): readonly DeviceView[] =>
  snapshot.inventory.devices.map((device) => deviceView(device, snapshot));

function deviceView(device: Device, { handles, devicePolicy }: Snapshot): DeviceView {
  const { rules, reach } = devicePolicy(device);
  const reached = new Set(reachedForAny(reach, device));
  return {
    device,
    constraints: allLimits(device, rules),
    pools: [...handles].filter(([heap]) => reached.has(heap)).map(([, handle]) => handle),
  };
}

/** What stands behind a pool's handle, for an administrator. */
export function revealPool(
  { class: memoryClass, facts, budget, handle }: Pool,
  { memories }: Snapshot,
): ReadonlyMap<string, string | bigint | boolean> {
  const memory = memories.find((each) => each.handle === handle);
  const details = new Map<string, string | bigint | boolean>([
    ['heap', facts.id],
    ['name', facts.name],
    ['kind', facts.kind],
    ['class', memoryClass],
    ['class-source', facts.class.source],
    ['cpu-access', facts.cpuAccess],
    ['limit', budget.limit],
  ]);
  if (memory !== undefined) {
    details.set('contiguous', memory.contiguous);
    details.set('address-bits', BigInt(memory.addressBits));
  }
  if (facts.node !== undefined) details.set('node', facts.node);
  if (facts.capacity !== undefined) details.set('capacity', facts.capacity.value);
  if (facts.maxBuffer !== undefined) details.set('max-buffer', facts.maxBuffer.value);
  return details;
}
