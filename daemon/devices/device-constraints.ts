import type { Use } from '../../dbus/names.js';
import { LINEAR, type Constraint, type Origin } from '../constraints/types.js';
import type { DeviceRules } from '../policy/policy.js';
import { CPU, type Device, type FormatFact, type LimitFact } from './inventory.js';
import { limitsInForce } from './limits-in-force.js';

/**
 * What a device brings to a decision: kernel facts and policy's rules for it, as far as they concern what is asked.
 * @param uses absent: nothing is asked of its formats, and limits that belong to certain uses do not count
 * @param entry place in the request's device list
 * @param format fourcc with its trailing spaces; absent for memory with no image in it
 */
export function deviceConstraints(
  device: Device,
  uses: readonly Use[] | undefined,
  rules: DeviceRules,
  entry: number,
  format: string | undefined,
): readonly Constraint[] {
  const from = (source: string): Origin => ({ entry, device: device.node, source });
  return device.node === CPU
    ? cpuConstraints(format !== undefined, from)
    : [
        ...formatConstraints(device, uses ?? [], format, from),
        ...limitsInForce(device, rules, { uses, format }).map((limit) => constraintOf(limit, from)),
      ];
}

/** Everything that limits a device, whatever is asked of it: a view for people. Formats are not among it. */
export function allLimits(device: Device, rules: DeviceRules): readonly Constraint[] {
  const from = (source: string): Origin => ({ entry: -1, device: '', source });
  return device.node === CPU
    ? cpuConstraints(true, from)
    : limitsInForce(device, rules, undefined).map((limit) => constraintOf(limit, from));
}

type From = (source: string) => Origin;

const constraintOf = ({ limit, value, source }: LimitFact, from: From): Constraint =>
  ({ kind: limit, value, origin: from(source) }) as Constraint;

/** A mapping shows rows one after the other, and memory that the CPU may not see cannot be mapped. */
function cpuConstraints(isImage: boolean, from: From): readonly Constraint[] {
  const origin = from('kernel:mmap');
  return [
    ...(isImage ? [{ kind: 'modifiers', value: [LINEAR], origin } as const] : []),
    { kind: 'protected', value: false, origin },
  ];
}

/**
 * The modifiers that every asked use takes, one constraint a source. A use that nobody publishes formats for asks
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
    const isFor = (fact: Pick<FormatFact, 'uses'>): boolean => fact.uses.includes(use);
    const published = device.formats.find(isFor) ?? device.otherFormats?.find(isFor);
    if (published === undefined) continue;
    const taken = device.formats.filter((fact) => fact.format === format && isFor(fact));
    const source = taken[0]?.source ?? published.source;
    const modifiers = modifiersOf(taken);
    const others = bySource.get(source);
    bySource.set(source, others === undefined ? modifiers : common(others, modifiers));
  }
  return [...bySource].map(([source, value]) => ({ kind: 'formats', value, origin: from(source) }));
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
