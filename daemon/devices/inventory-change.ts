import type { Inventory } from './inventory.js';
import type { Reading } from './read-inventory.js';

/** Nodes of devices, and ids of heaps, that are others than those of the same name were. */
export function replacedSince(before: Reading, { inventory, identities }: Reading): ReadonlySet<string> {
  const isReplaced = (node = ''): boolean => {
    const [was, is] = [before.identities.get(node), identities.get(node)];
    return was !== undefined && is !== undefined && was !== is;
  };
  const devices = inventory.devices.filter(({ node }) => isReplaced(node));
  const heaps = inventory.heaps.filter(({ node }) => isReplaced(node));
  return new Set([...devices.map(({ node }) => node), ...heaps.map(({ id }) => id)]);
}

/**
 * An inventory with what trials showed earlier of the devices and heaps that are still the same.
 * @param replaced nodes and ids of those that are not, though their names are
 */
export function carryOver(before: Inventory, now: Inventory, replaced: ReadonlySet<string>): Inventory {
  const heaps = now.heaps.map((heap) => {
    const known = before.heaps.find(({ id }) => id === heap.id);
    const isSame = known?.usable === heap.usable && !replaced.has(heap.id);
    return isSame ? known : heap;
  });
  const { reach } = without({ ...now, reach: before.reach }, replaced);
  return { ...now, heaps, reach };
}

/** Nodes of the devices and heaps that are new, or of which more is known than before. */
export function newcomers(
  before: Inventory,
  now: Inventory,
  replaced: ReadonlySet<string>,
): ReadonlySet<string> {
  const devices = now.devices.filter(
    (device) => replaced.has(device.node) || !before.devices.includes(device),
  );
  const heaps = now.heaps.filter((heap) => replaced.has(heap.id) || !before.heaps.includes(heap));
  return new Set([...devices, ...heaps].flatMap(({ node }) => node ?? []));
}

/** An inventory without some of it. @param names nodes of devices, and heap ids */
export function without(inventory: Inventory, names: ReadonlySet<string>): Inventory {
  const devices = inventory.devices.filter(({ node }) => !names.has(node));
  const heaps = inventory.heaps.filter(({ id }) => !names.has(id));
  const left = new Set([...devices.map(({ node }) => node), ...heaps.map(({ id }) => id)]);
  const reach = inventory.reach.filter(({ device, heap }) => left.has(device) && left.has(heap));
  return { ...inventory, devices, heaps, reach };
}
