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
  cmaTop,
  commandLine,
}: Machine): ProfileDocument['machine'] => ({
  name,
  architecture,
  kernel,
  ...list('compatible', compatible),
  ram: { ...ram, value: String(ram.value) },
  ramTop: { ...ramTop, value: hexadecimal(ramTop.value) },
  ...(cmaTop && { cmaTop: { ...cmaTop, value: hexadecimal(cmaTop.value) } }),
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

/** Columns that a line of a profile may have. */
const LINE_COLUMNS = 110;
const INDENT_COLUMNS = 2;

/**
 * JSON that a person can read and compare: what fits on a line stands on one, and long lists of short values fill
 * their lines.
 */
export const formatJson = (value: unknown): string => `${format(value, 0, 0)}\n`;

/** @param indent of the line that the value starts on @param used columns that stand before it */
function format(value: unknown, indent: number, used: number): string {
  const flat = onOneLine(value);
  if (used + flat.length < LINE_COLUMNS || typeof value !== 'object' || value === null) return flat;
  const inner = indent + INDENT_COLUMNS;
  const lines = Array.isArray(value) ? itemLines(value, inner) : memberLines(value, inner);
  const [open, close] = Array.isArray(value) ? '[]' : '{}';
  const pad = ' '.repeat(inner);
  return `${open ?? ''}\n${pad}${lines.join(`,\n${pad}`)}\n${' '.repeat(indent)}${close ?? ''}`;
}

function onOneLine(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(onOneLine).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${onOneLine(item)}`);
  return members.length === 0 ? '{}' : `{ ${members.join(', ')} }`;
}

const memberLines = (value: object, indent: number): readonly string[] =>
  Object.entries(value).map(([key, item]) => {
    const name = `${JSON.stringify(key)}: `;
    return name + format(item, indent, indent + name.length);
  });

function itemLines(items: readonly unknown[], indent: number): readonly string[] {
  if (items.some((item) => typeof item === 'object'))
    return items.map((item) => format(item, indent, indent));
  const lines: string[] = [];
  for (const item of items.map(onOneLine)) {
    const line = lines.at(-1);
    if (line !== undefined && indent + line.length + item.length + 2 < LINE_COLUMNS)
      lines[lines.length - 1] = `${line}, ${item}`;
    else lines.push(item);
  }
  return lines;
}

/**
 * The profile of a machine as it was read, for `dmabrokerctl record`: kernel facts, without policy's rules.
 * @param now when it was read
 */
export const recordProfile = (inventory: Inventory, now: Date): string =>
  profileFromInventory(inventory, {
    kind: 'recorded',
    at: now.toISOString(),
    kernel: inventory.machine.kernel,
  });

/**
 * The profile of a machine that other tools' output describes, for `dmabrokerctl record --from`.
 * @param from the files, with the tools that wrote them
 * @param now when it was imported
 */
export const importProfile = (inventory: Inventory, from: readonly string[], now: Date): string =>
  profileFromInventory(inventory, { kind: 'imported', at: now.toISOString(), from: [...from] });
