import type { WireValue } from '../../dbus/connection/bus-types.js';
import { LIMITS } from '../../dbus/names.js';
import type { AllocationView, DeviceView, PoolView, Totals } from '../broker/broker-types.js';
import type { PartyView } from '../broker/parties/party-types.js';
import type { FormatFact } from '../devices/inventory.js';
import type { ALLOCATION, BROKER, DEVICE, InterfaceTable, PARTY, POOL, PropertyName } from './contract.js';
import { constraintDicts, layoutDict, shortfallDict, shownFormat } from './replies.js';

/** Values of all the properties of an interface; their signatures stand in its table. */
export type Values<T extends InterfaceTable = InterfaceTable> = Readonly<Record<PropertyName<T>, WireValue>>;

export const brokerValues = (version: string, totals: Totals, channels = 0): Values<typeof BROKER> => ({
  Version: version,
  MaxFdsPerReply: LIMITS.buffersPerCall,
  LiveBytes: totals.liveBytes,
  LiveBuffers: BigInt(totals.liveBuffers),
  Channels: channels,
  PolicyFiles: totals.policyFiles,
  Shortfalls: totals.shortfalls.map(shortfallDict),
  Warnings: totals.warnings,
});

export const deviceValues = ({ device, constraints, pools }: DeviceView): Values<typeof DEVICE> => ({
  Node: device.node,
  OtherNodes: device.otherNodes,
  Number: device.number,
  Subsystem: device.subsystem,
  Driver: device.driver,
  Name: device.name,
  Uses: device.uses,
  Formats: mergedFormats(device.formats),
  Constraints: constraintDicts(constraints),
  Pools: pools,
});

export const poolValues = (view: PoolView): Values<typeof POOL> => ({
  Handle: view.handle,
  Class: view.class,
  Limit: view.limit,
  Live: view.live,
  Warm: view.warm,
  Hits: view.hits,
  Misses: view.misses,
});

export const allocationValues = (view: AllocationView): Values<typeof ALLOCATION> => ({
  Owner: view.owner.name,
  User: view.owner.uid,
  Unit: view.owner.unit,
  Label: view.label,
  Pool: view.layout.pool,
  Layout: layoutDict(view.layout),
  Size: view.size,
  Created: view.created,
  State: view.state,
});

export const partyValues = ({ state, generation, held }: PartyView): Values<typeof PARTY> => ({
  State: state,
  Generation: generation,
  Held: held,
});

/** `a(sat)`: every format once, with the modifiers of all its uses. */
function mergedFormats(facts: readonly FormatFact[]): WireValue {
  const merged = new Map<string, Set<bigint>>();
  for (const { format, modifiers } of facts) {
    const known = merged.get(format);
    if (known === undefined) merged.set(format, new Set(modifiers));
    else for (const modifier of modifiers) known.add(modifier);
  }
  return [...merged].map(([format, modifiers]) => [shownFormat(format), [...modifiers]]);
}
