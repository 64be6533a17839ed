import type { Policy } from '../policy/policy.js';
import { CPU, type Device, type Inventory } from './inventory.js';

/** One text for each driver that no rule of policy knows: which devices it drives, and what to write. */
export function unknownDriverWarnings(inventory: Inventory, policy: Policy): readonly string[] {
  const byDriver = new Map<string, Device[]>();
  for (const device of inventory.devices) {
    if (device.node === CPU || policy.device(device).known) continue;
    byDriver.set(device.driver, [...(byDriver.get(device.driver) ?? []), device]);
  }
  return [...byDriver].map(([driver, devices]) => {
    const names = devices.map(({ node, name }) => `${node} (${name})`).join(', ');
    return (
      `there is no rule for the driver ${driver} of ${names}, so its pitch alignment is not known; ` +
      `add a section [Device driver=${driver}] to a file in /etc/dmabroker/dmabroker.conf.d`
    );
  });
}
