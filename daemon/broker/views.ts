import type { Device } from '../devices/inventory.js';
import { allLimits } from '../devices/device-constraints.js';
import type { DeviceView } from './types.js';
import type { World } from './world.js';

export const deviceViews = (world: World): readonly DeviceView[] =>
  world.inventory.devices.map((device) => deviceView(device, world));

function deviceView(device: Device, { handles, standing }: World): DeviceView {
  const { rules, reach } = standing(device);
  const reached = new Set(reach.heaps);
  return {
    device,
    constraints: allLimits(device, rules),
    pools: [...handles].filter(([heap]) => reached.has(heap)).map(([, handle]) => handle),
  };
}
