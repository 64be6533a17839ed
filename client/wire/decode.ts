import type { WireValue } from '../../dbus/connection/bus-types.js';
import type { CpuAccess } from '../../dbus/names.js';
import { DmabrokerError } from '../errors.js';
import type {
  ConstraintInfo,
  Details,
  Explanation,
  FormatInfo,
  ImageLayout,
  Layout,
  MemoryLayout,
  PlaneLayout,
} from '../model.js';
import { asBigint, asList, asNumber, asString, Fields } from './fields.js';

const CPU_ACCESS: readonly string[] = ['cached', 'uncached', 'none'] satisfies CpuAccess[];
const isCpuAccess = (word: string): word is CpuAccess => CPU_ACCESS.includes(word);

export function decodeLayout(value: WireValue | undefined): Layout {
  const fields = new Fields(value, 'layout');
  return fields.has('format') ? { ...decodeMemory(fields), ...decodeImage(fields) } : decodeMemory(fields);
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
