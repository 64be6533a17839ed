import {
  CPU,
  type Device,
  type Fact,
  type FormatFact,
  type HeapFacts,
  type Inventory,
  type LimitFact,
  type Machine,
  type Mode,
  type ReachFact,
} from '../inventory.js';
import { hexadecimal } from './big.js';
import { formatJson } from './format-json.js';
import {
  PROFILE_VERSION,
  type ProfileDevice,
  type ProfileDocument,
  type ProfileFormats,
  type ProfileHeap,
  type ProfileLimit,
  type ProfileMode,
  type ProfileReach,
  type Provenance,
} from './schema.js';

/** The inventory as a profile's JSON text. `inventoryFromProfile` makes the same inventory of it. */
export function profileFromInventory(inventory: Inventory, provenance: Provenance): string {
  const document: ProfileDocument = {
    version: PROFILE_VERSION,
    provenance,
    machine: machineOf(inventory.machine),
    devices: inventory.devices.filter(({ node }) => node !== CPU).map(deviceOf),
    heaps: inventory.heaps.flatMap(heapOf),
    ...list('reach', inventory.reach.map(reachOf)),
    ...list('warnings', inventory.warnings),
  };
  return formatJson(document);
}

const machineOf = ({
  name,
  architecture,
  kernel,
  compatible,
  ram,
  ramTop,
  commandLine,
}: Machine): ProfileDocument['machine'] => ({
  name,
  architecture,
  kernel,
  ...list('compatible', compatible),
  ram: { ...ram, value: String(ram.value) },
  ramTop: { ...ramTop, value: hexadecimal(ramTop.value) },
  ...(commandLine !== undefined && { commandLine }),
});

const deviceOf = (device: Device): ProfileDevice => ({
  node: device.node,
  ...list('otherNodes', device.otherNodes),
  number: device.number,
  ...list('otherNumbers', device.otherNumbers),
  subsystem: device.subsystem === 'drm' ? 'drm' : 'video4linux',
  driver: device.driver,
  name: device.name,
  ...list('compatible', device.compatible),
  ...(device.pci !== undefined && { pci: device.pci }),
  uses: [...device.uses],
  ...(device.dmaMaskBits && { dmaMaskBits: device.dmaMaskBits }),
  iommu: device.iommu,
  ...(device.memoryRegion && { memoryRegion: device.memoryRegion }),
  ...(device.imports && { imports: device.imports }),
  ...list('formats', grouped(device.formats)),
  ...list(
    'otherFormats',
    (device.otherFormats ?? []).map((format) => ({ ...format, uses: [...format.uses] })),
  ),
  ...list('limits', device.limits.map(limitOf)),
  ...list('modes', device.modes.map(modeOf)),
  ...list('pictures', device.pictures ?? []),
});

/** Drivers list the same modifiers for many formats: neighbours that differ in nothing else share an entry. */
function grouped(facts: readonly FormatFact[]): readonly ProfileFormats[] {
  const groups: { key: string; entry: ProfileFormats }[] = [];
  for (const { format, modifiers, uses, source } of facts) {
    const rest = { modifiers: modifiers.map(hexadecimal), uses: [...uses], source };
    const key = JSON.stringify(rest);
    const last = groups.at(-1);
    if (last?.key === key) last.entry.formats.push(format);
    else groups.push({ key, entry: { formats: [format], ...rest } });
  }
  return groups.map(({ entry }) => entry);
}

const limitOf = ({ value, uses, formats, ...rest }: LimitFact): ProfileLimit =>
  ({
    ...rest,
    value: typeof value === 'bigint' ? String(value) : value,
    ...(uses && { uses }),
    ...(formats && { formats }),
  }) as ProfileLimit;

const modeOf = ({ preferred, current, ...mode }: Mode): ProfileMode => ({
  ...mode,
  ...(preferred && { preferred }),
  ...(current && { current }),
});

/** Plain memory is everywhere and stands in no profile. */
function heapOf({ kind, node, capacity, maxBuffer, usable, ...heap }: HeapFacts): readonly ProfileHeap[] {
  if (kind === 'memfd' || node === undefined) return [];
  return [
    {
      ...heap,
      kind,
      node,
      ...(capacity && { capacity: decimal(capacity) }),
      ...(maxBuffer && { maxBuffer: decimal(maxBuffer) }),
      ...(!usable && { usable }),
    },
  ];
}

const reachOf = ({ uses, ...fact }: ReachFact): ProfileReach => ({
  ...fact,
  ...(uses && { uses: [...uses] }),
});

const decimal = ({ value, source }: Fact<bigint>): Fact<string> => ({ value: String(value), source });

/** A list under its key, or nothing when it is empty. */
const list = <K extends string, T>(key: K, items: readonly T[]): Partial<Record<K, T[]>> =>
  items.length === 0 ? {} : ({ [key]: [...items] } as Partial<Record<K, T[]>>);
