import { devicePath } from '../../dbus/names.js';
import type { Device, Inventory } from '../devices/inventory.js';

/** An inventory as requests look into it; made once, so that a look costs the same however much there is. */
export interface DeviceIndex {
  /** By node, `major:minor`, object path, or `cpu`. No path of a client is ever opened: it is only compared. */
  device(name: string): Device | undefined;
  /** A device that lists the format. */
  knows(fourcc: string): Device | undefined;
  /** Nodes, `cpu` among them. */
  readonly nodes: readonly string[];
}

export function indexDevices({ devices }: Inventory): DeviceIndex {
  const byName = new Map<string, Device>();
  const byFormat = new Map<string, Device>();
  for (const device of devices) {
    const numbers = device.subsystem === 'cpu' ? [] : [device.number, ...device.otherNumbers];
    for (const name of [device.node, ...device.otherNodes, devicePath(device.node), ...numbers]) {
      byName.set(name, device);
    }
    for (const { format } of device.formats) if (!byFormat.has(format)) byFormat.set(format, device);
  }
  return {
    device: (name) => byName.get(name),
    knows: (fourcc) => byFormat.get(fourcc),
    nodes: devices.flatMap(({ node, otherNodes }) => [node, ...otherNodes]),
  };
}
