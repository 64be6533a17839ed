import type { Use } from '../../dbus/names.js';
import { LINEAR, type Constraint, type Origin } from '../constraints/constraint-types.js';
import type { DeviceRules } from '../policy/policy.js';
import { CPU, type Device, type FormatFact } from './inventory.js';
import { isHabit, limitsInForce, type LimitInForce } from './limits-in-force.js';

/** The image that is asked for, as far as a device's limits depend on it. */
export interface AskedImage {
  /** Fourcc with its trailing spaces. */
  readonly format: string;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
}

/**
 * What a device brings to a decision: kernel facts and policy's rules for it, as far as they concern what is asked.
 * @param uses absent: nothing is asked of its formats, and limits that belong to certain uses do not count
 * @param entry place in the request's device list
 * @param image absent for memory with no image in it
 */
export function deviceConstraints(
  device: Device,
  uses: readonly Use[] | undefined,
  rules: DeviceRules,
  entry: number,
  image: AskedImage | undefined,
): readonly Constraint[] {
  const from = (source: string): Origin => ({ entry, device: device.node, source });
  const format = image?.format;
  return device.node === CPU
    ? cpuConstraints(image !== undefined, from)
    : [
        ...formatConstraints(device, uses ?? [], format, from),
        ...limitsInForce(device, rules, { uses, format, ...(image && { size: image }) }).map((limit) =>
          constraintOf(limit, image, from),
        ),
      ];
}

/**
 * Everything that limits a device, whatever is asked of it: a view for people. Formats are not among it, nor is what
 * depends on the size of an image.
 */
export function allLimits(device: Device, rules: DeviceRules): readonly Constraint[] {
  const from = (source: string): Origin => ({ entry: -1, device: '', source });
  return device.node === CPU
    ? cpuConstraints(true, from)
    : limitsInForce(device, rules, undefined)
        .filter((limit) => !('per' in limit || 'above' in limit))
        .map((limit) => constraintOf(limit, undefined, from));
}

type From = (source: string) => Origin;

function constraintOf(limit: LimitInForce, image: AskedImage | undefined, from: From): Constraint {
  const { limit: kind, value, source } = limit;
  const above = 'above' in limit ? limit.above.pitch : undefined;
  const scaled = 'per' in limit && typeof value === 'bigint' ? value * macroblocks(image) : value;
  return {
    kind,
    value: scaled,
    origin: from(source),
    ...(above !== undefined && { above }),
    ...('orApart' in limit && { orApart: true }),
    ...(isHabit(limit) && { habit: true }),
  } as Constraint;
}

/** Codecs work on blocks of 16 × 16 pixels, the last of a row or column perhaps cut. */
const macroblocks = (image: AskedImage | undefined): bigint =>
  BigInt(Math.ceil((image?.width ?? 0) / 16)) * BigInt(Math.ceil((image?.height ?? 0) / 16));

/** A mapping shows rows one after the other, and memory that the CPU may not see cannot be mapped. */
function cpuConstraints(isImage: boolean, from: From): readonly Constraint[] {
  const origin = from('kernel:mmap');
  return [
    ...(isImage ? [{ kind: 'modifiers', value: [LINEAR], origin } as const] : []),
    { kind: 'protected', value: false, origin },
  ];
}

/**
 * The modifiers that every asked use takes, one constraint a source. A use without published formats asks
 * nothing; a format that a publishing use does not take leaves no modifier.
 */
function formatConstraints(
  device: Device,
  uses: readonly Use[],
  format: string | undefined,
  from: From,
): readonly Constraint[] {
  if (format === undefined) return [];
  const bySource = new Map<string, readonly bigint[]>();
  for (const use of uses) {
    const published = publishedFor(device, use);
    if (published === undefined) continue;
    const taken = device.formats.filter((fact) => fact.format === format && fact.uses.includes(use));
    const source = taken[0]?.source ?? published.source;
    const modifiers = modifiersOf(taken);
    const others = bySource.get(source);
    bySource.set(source, others === undefined ? modifiers : common(others, modifiers));
  }
  return [...bySource].map(([source, value]) => ({ kind: 'formats', value, origin: from(source) }));
}

/** Uses for which what a device takes is known to the user-space driver alone. */
const GPU_USES: ReadonlySet<Use> = new Set<Use>(['render', 'texture']);

/**
 * Whether a device itself says which modifiers it takes for everything that is asked of it.
 * @param uses absent where nothing is said of them
 */
export function saysModifiers(device: Device, uses: readonly Use[] | undefined): boolean {
  if (device.node === CPU) return true;
  return uses?.every((use) => !GPU_USES.has(use) && publishedFor(device, use) !== undefined) ?? false;
}

/** Anything that a device lists for a use: then it takes nothing else for it. */
function publishedFor(
  { formats, otherFormats }: Device,
  use: Use,
): Pick<FormatFact, 'uses' | 'source'> | undefined {
  const isFor = (fact: Pick<FormatFact, 'uses'>): boolean => fact.uses.includes(use);
  return formats.find(isFor) ?? otherFormats?.find(isFor);
}

/** A list of its own only where there is more than one: a device can have hundreds. */
function modifiersOf(taken: readonly FormatFact[]): readonly bigint[] {
  const [first, ...more] = taken;
  if (first === undefined) return [];
  return more.length === 0 ? first.modifiers : [...new Set(taken.flatMap((fact) => fact.modifiers))];
}

function common(some: readonly bigint[], others: readonly bigint[]): readonly bigint[] {
  if (some === others) return some;
  const among = new Set(others);
  return some.filter((modifier) => among.has(modifier));
}
