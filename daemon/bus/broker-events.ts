import type { BrokerEvents } from '../broker/types.js';
import type { Announcer } from './announcer.js';
import {
  allocationObject,
  deviceObject,
  poolObject,
  type BusObject,
  type ObjectTree,
  type RootObject,
} from './objects.js';

/** Keeps the objects as the broker says they are, and has every change announced. */
export function followBroker(objects: ObjectTree, root: RootObject, announcer: Announcer): BrokerEvents {
  const put = (object: BusObject): void => {
    const before = objects.put(object);
    if (before === undefined) announcer.added(object);
    else announcer.changed(object.path, before.values);
  };
  const remove = ({ path }: BusObject): void => {
    const object = objects.remove(path);
    if (object !== undefined) announcer.removed(object);
  };
  return {
    deviceAdded: (view) => {
      put(deviceObject(view));
    },
    deviceChanged: (view) => {
      put(deviceObject(view));
    },
    deviceRemoved: (view) => {
      remove(deviceObject(view));
    },
    poolAdded: (view) => {
      put(poolObject(view));
    },
    poolChanged: (view) => {
      put(poolObject(view));
    },
    poolRemoved: (view) => {
      remove(poolObject(view));
    },
    allocationAdded: (view) => {
      put(allocationObject(view));
    },
    allocationChanged: (view) => {
      put(allocationObject(view));
    },
    allocationRemoved: (view) => {
      remove(allocationObject(view));
    },
    totalsChanged: () => {
      const before = root.outdate();
      if (before !== undefined) announcer.changed(root.path, () => before);
    },
  };
}
