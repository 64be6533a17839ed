import { limitRow } from '../../dbus/limits.js';
import type { Use } from '../../dbus/names.js';
import type { DeviceRules, RuleLimit } from '../policy/policy.js';
import { DUMB_PITCH } from './dumb-pitch.js';
import type { Device, LimitFact } from './inventory.js';

/** What is asked of a device: whose limits count depends on it. */
export interface Asked {
  /** Absent: limits that belong to certain uses do not count. */
  readonly uses: readonly Use[] | undefined;
  /** Fourcc with its trailing spaces; absent for memory with no image in it, which has no rows to limit. */
  readonly format: string | undefined;
  /** Pixels of the image; limits that depend on it do not count where it is absent. */
  readonly size?: { readonly width: number; readonly height: number };
}

/** A limit of the device itself, or one of policy, which may depend on the size of the image. */
export type LimitInForce = LimitFact | RuleLimit;

/**
 * The device's limits that concern what is asked; all of them when nothing is said. A rule of policy takes the place
 * of the kernel's limit of the same name, because rules state what the hardware does. Habits count only for drivers
 * without rules.
 */
export function limitsInForce(
  device: Device,
  rules: DeviceRules,
  asked: Asked | undefined,
): readonly LimitInForce[] {
  const concerns = (limit: LimitInForce): boolean => asked === undefined || isConcerned(limit, asked);
  const ruled = ruleLimits(device, rules).filter(concerns);
  const replaced = new Set(
    ruled
      .filter((limit) => !('above' in limit) && (asked !== undefined || isGeneral(limit)))
      .map(({ limit }) => limit),
  );
  const kernel = kernelLimits(device).filter(
    (limit) => concerns(limit) && !replaced.has(limit.limit) && !(rules.known && isHabit(limit)),
  );
  return distinct([...kernel, ...ruled].filter(asksForSomething));
}

/** Whether a limit is what a driver does with its own buffers, which nothing is known to need. */
export const isHabit = ({ source }: LimitInForce): boolean => source === DUMB_PITCH;

/** Queues of one device often say the same, each of its own uses. */
const distinct = (limits: readonly LimitInForce[]): readonly LimitInForce[] => [
  ...new Map(limits.map((limit) => [keyOf(limit), limit])).values(),
];

const keyOf = (each: LimitInForce): string => {
  const { limit, value, source, formats = [] } = each;
  return [limit, value, source, 'orApart' in each, ...formats].join(' ');
};

/** Whether the image is as large as the limit's condition wants; what that says of a pitch is seen in the layout. */
const isLargeEnough = (limit: LimitInForce, { size }: Asked): boolean => {
  const { width = -1, height = -1 } = ('above' in limit && limit.above) || {};
  return (size?.width ?? 0) > width && (size?.height ?? 0) > height;
};

const isConcerned = (limit: LimitInForce, asked: Asked): boolean => {
  const { uses, formats } = limit;
  return (
    (uses === undefined || (asked.uses ?? []).some((use) => uses.includes(use))) &&
    (asked.format === undefined
      ? formats === undefined && !isOfImage(limit)
      : formats?.includes(asked.format) !== false) &&
    isLargeEnough(limit, asked)
  );
};

/** Whether there must be an image for the limit to say anything. */
const isOfImage = (limit: LimitInForce): boolean =>
  'per' in limit || 'above' in limit || limitRow(limit.limit).imageOnly;

const isGeneral = ({ uses, formats }: LimitInForce): boolean => uses === undefined && formats === undefined;

/** A flag that is not set asks for nothing, but that a device cannot touch protected memory, for example, is a limit. */
const asksForSomething = ({ limit, value }: LimitInForce): boolean =>
  value !== false || limit === 'protected' || limitRow(limit).noForbids === true;

/** Without an IOMMU that translates for it, the device's addresses are RAM's. */
function kernelLimits(device: Device): readonly LimitFact[] {
  const { dmaMaskBits } = device;
  if (dmaMaskBits === undefined || dmaMaskBits.value >= 64 || isTranslated(device)) return device.limits;
  return [...device.limits, { limit: 'address-bits', ...dmaMaskBits }];
}

function ruleLimits(device: Device, { contiguous, limits }: DeviceRules): readonly LimitInForce[] {
  if (contiguous === undefined) return limits;
  const { value, source } = contiguous;
  const needed = value === 'yes' || (value === 'without-iommu' && !isTranslated(device));
  return [...limits, { limit: 'contiguous', value: needed, source }];
}

/** IOMMU group types under which the addresses that a device sees are not RAM's own. */
const TRANSLATING: ReadonlySet<string> = new Set(['DMA', 'DMA-FQ']);

/** Whether an IOMMU stands between the device and RAM, so that scattered and high pages will do for it. */
export const isTranslated = (device: Device): boolean => TRANSLATING.has(device.iommu.value);
