import type { Device } from '../devices/inventory.js';
import { allLimits } from '../devices/device-constraints.js';
import type { DeviceView } from './types.js';
import type { World } from './world.js';

export const deviceViews = (world: World): readonly DeviceView[] =>
  world.inventory.devices.map((device) => deviceView(device, world));

function deviceView(device: Device, { handles, standing }: World): DeviceView {
  const { rules, reach } = standing(device);
  return {
    device,
    constraints: allLimits(device, rules),
    pools: reach.heaps.flatMap((heap) => handles.get(heap) ?? []),
  };
}
