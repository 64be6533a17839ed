import type { WireValue } from '../../dbus/connection/bus-types.js';
import type { CpuAccess } from '../../dbus/names.js';
import { DmabrokerError } from '../errors.js';
import {
  fdSizesOf,
  type ConstraintInfo,
  type Details,
  type Explanation,
  type FormatInfo,
  type ImageLayout,
  type Layout,
  type MemoryLayout,
  type PlaneLayout,
} from '../model.js';
import { asBigint, asList, asNumber, asString, Fields } from './fields.js';

const CPU_ACCESS: readonly string[] = ['cached', 'uncached', 'none'] satisfies CpuAccess[];
const isCpuAccess = (word: string): word is CpuAccess => CPU_ACCESS.includes(word);

export function decodeLayout(value: WireValue | undefined): Layout {
  const fields = new Fields(value, 'layout');
  const memory = decodeMemory(fields);
  if (!fields.has('format')) return memory;
  const layout = { ...memory, ...decodeImage(fields) };
  checkPlanes(layout);
  return layout;
}

/** A plane outside the memory that it is said to lie in would have its reader end with SIGBUS. */
function checkPlanes(layout: ImageLayout): void {
  const { planes, size } = layout;
  const fdSizes = fdSizesOf(layout);
  const { planeFds = planes.map(() => 0) } = layout;
  const isWhole =
    fdSizes.length > 0 &&
    planes.length >= fdSizes.length &&
    fdSizes.reduce((sum, each) => sum + each) === size;
  const areInside = planes.every(({ offset, pitch }, place) => {
    const end = fdSizes[planeFds[place] ?? -1];
    return end !== undefined && pitch > 0 && offset + BigInt(pitch) <= end;
  });
  if (!isWhole || !areInside || planeFds.length !== planes.length)
    throw new DmabrokerError('InvalidReply', 'the daemon names planes that do not lie in their memory');
}

function decodeMemory(fields: Fields): MemoryLayout {
  const cpuAccess = fields.string('cpu-access');
  if (!isCpuAccess(cpuAccess)) {
    throw new DmabrokerError('InvalidReply', `the daemon names an unknown cpu-access: ${cpuAccess}`);
  }
  return {
    size: fields.bigint('size'),
    count: fields.number('count'),
    pool: fields.string('pool'),
    cpuAccess,
  };
}

const decodeImage = (fields: Fields): Omit<ImageLayout, keyof MemoryLayout> => ({
  format: fields.string('format'),
  modifier: fields.bigint('modifier'),
  width: fields.number('width'),
  height: fields.number('height'),
  planes: fields.list('planes', decodePlane),
  ...(fields.has('plane-fds') && { planeFds: fields.list('plane-fds', asNumber) }),
  ...(fields.has('fd-sizes') && { fdSizes: fields.list('fd-sizes', asBigint) }),
});

function decodePlane(value: WireValue, what: string): PlaneLayout {
  const [offset, pitch] = asList(value, what);
  return { offset: asBigint(offset, what), pitch: asNumber(pitch, what) };
}

export function decodeConstraint(value: WireValue, what: string): ConstraintInfo {
  const fields = new Fields(value, what);
  return {
    entry: fields.number('entry'),
    device: fields.string('device'),
    constraint: fields.string('constraint'),
    value: fields.value('value'),
    source: fields.string('source'),
  };
}

/** The result of `Explain`. @param each reads a constraint */
export function decodeExplanation(
  value: WireValue | undefined,
  each: (item: WireValue, what: string) => ConstraintInfo = decodeConstraint,
): Explanation {
  const fields = new Fields(value, 'explanation');
  return {
    feasible: fields.boolean('feasible'),
    ...(fields.has('layout') && { layout: decodeLayout(fields.raw('layout')) }),
    ...(fields.has('pool') && { pool: fields.string('pool') }),
    constraints: fields.list('constraints', each),
    conflicts: fields.list('conflicts', each),
    ...(fields.has('left-out') && { leftOut: fields.strings('left-out') }),
    limits: fields.strings('limits'),
    suggestions: fields.strings('suggestions'),
  };
}

export function decodeFormat(value: WireValue, what: string): FormatInfo {
  const [format, modifiers] = asList(value, what);
  return {
    format: asString(format, what),
    modifiers: asList(modifiers, what).map((modifier) => asBigint(modifier, what)),
  };
}

/** A dictionary whose names the contract leaves open. */
export function decodeDetails(value: WireValue | undefined, what: string): Details {
  const fields = new Fields(value, what);
  return Object.fromEntries([...fields.names()].map((name) => [name, fields.value(name)]));
}
