import type { MemoryClass } from '../../dbus/names.js';
import type { Inventory } from '../devices/inventory.js';
import { reachedFor, reachOf } from '../devices/reach.js';
import { ruledHeaps } from '../devices/ruled-heaps.js';
import type { Policy, PolicyValue } from '../policy/policy.js';
import { evaluate } from '../policy/size-expression.js';
import { amountText } from './amount.js';
import { cmaFor, reserve } from './cma.js';
import { contiguousUses, type Fit } from './fit.js';
import { allowLarger, contiguousRemedy, remedyOf } from './remedies.js';
import { bytesWanted, frameText } from './requirements.js';
import { sizeContext, type PoolPlan } from './plan.js';
import type { BudgetGroup } from './budget-groups.js';

/** What the machine lacks against policy. */
export interface Shortfall {
  readonly class: MemoryClass;
  /** Bytes. */
  readonly asked: bigint;
  readonly available: bigint;
  /** What lacks and, where something mends it, what. */
  readonly text: string;
  /** What mends it: what to do, in which file. Absent where that is not known. */
  readonly mend?: string;
}

/** What they are found from. */
export interface ShortfallFacts {
  readonly inventory: Inventory;
  readonly policy: Policy;
  /** The pools that there are, best first. */
  readonly plans: readonly PoolPlan[];
  readonly groups: readonly BudgetGroup[];
  readonly fits: readonly Fit[];
  /** Bytes that one buffer may have. */
  readonly maxBuffer: PolicyValue<bigint>;
}

export function shortfallsOf(facts: ShortfallFacts): readonly Shortfall[] {
  const ofRequirements = [...tooLarge(facts), ...lackingClasses(facts)];
  const said = new Set(ofRequirements.map((shortfall) => shortfall.class));
  return [
    ...ofRequirements,
    ...facts.groups.filter((group) => !said.has(group.class)).flatMap((group) => smallHeap(group, facts)),
    ...unreached(facts),
  ];
}

/** `contiguous memory: …: what mends it`. */
function shortfall(
  memoryClass: MemoryClass,
  [asked, available]: readonly [asked: bigint, available: bigint],
  lack: string,
  mend?: string,
): Shortfall {
  const text = `${memoryClass} memory: ${lack}${mend === undefined ? '' : `: ${mend}`}`;
  return { class: memoryClass, asked, available, text, ...(mend !== undefined && { mend }) };
}

/** The class that a need's device would have its pictures in. */
const homeOf = ({ contiguous, imports, groups }: Fit): MemoryClass => {
  const [first] = groups;
  if (first !== undefined) return first.class;
  if (contiguous) return 'contiguous';
  return imports ? 'scattered' : 'device';
};

/** Pictures that policy lets no client have, wherever they are. */
function tooLarge({ fits, maxBuffer }: ShortfallFacts): readonly Shortfall[] {
  return fits
    .filter(({ requirement }) => requirement.frames.value > 0 && requirement.frame.bytes > maxBuffer.value)
    .map((fit) => {
      const { frame } = fit.requirement;
      const lack =
        `one picture of ${frameText(frame)} is ${amountText(frame.bytes)}, ` +
        `and policy limits a buffer to ${amountText(maxBuffer.value)} (${maxBuffer.source})`;
      return shortfall(homeOf(fit), [frame.bytes, maxBuffer.value], lack, allowLarger(frame.bytes));
    });
}

/** One for each class that does not hold all that is at home there. */
function lackingClasses(facts: ShortfallFacts): readonly Shortfall[] {
  const { fits, maxBuffer } = facts;
  const possible = fits.filter(
    ({ requirement }) => requirement.frames.value > 0 && requirement.frame.bytes <= maxBuffer.value,
  );
  const lacking = possible.filter(({ requirement, held }) => held < BigInt(requirement.frames.value));
  return [...new Set(lacking.map(homeOf))].map((memoryClass) => {
    const here = possible.filter((fit) => homeOf(fit) === memoryClass);
    const asked = here.reduce((sum, { requirement }) => sum + bytesWanted(requirement), 0n);
    const largest = here.reduce(
      (most, { requirement }) => (requirement.frame.bytes > most ? requirement.frame.bytes : most),
      0n,
    );
    const group = largestGroup(
      here.flatMap(({ groups }) => groups.filter((each) => each.class === memoryClass)),
    );
    const wishes = here.map(
      ({ requirement }) => `${requirement.frames.value} frames of ${frameText(requirement.frame)}`,
    );
    const why =
      group === undefined ? absence(memoryClass, largest, facts.inventory) : narrowness(group, asked);
    return shortfall(
      memoryClass,
      [asked, group?.bytes ?? 0n],
      `policy asks for ${wishes.join(' and ')} = ${amountText(asked)}, ${why}`,
      remedyOf(memoryClass, asked, group, largest, facts),
    );
  });
}

const largestGroup = (groups: readonly BudgetGroup[]): BudgetGroup | undefined =>
  groups.reduce<BudgetGroup | undefined>(
    (best, group) => (best === undefined || group.bytes > best.bytes ? group : best),
    undefined,
  );

/** Why there is none of a class. No client learns of a heap, so that none is named. */
function absence(memoryClass: MemoryClass, largest: bigint, { heaps }: Inventory): string {
  const its = heaps.filter((heap) => heap.class.value === memoryClass);
  if (its.some(({ usable }) => !usable)) return 'and the broker may not open the heaps';
  const most = its.map(({ maxBuffer }) => maxBuffer?.value ?? largest);
  if (its.length > 0 && most.every((bytes) => bytes < largest)) {
    return 'and no heap of the kernel makes buffers that large';
  }
  if (its.length > 0) return 'and policy or the devices exclude all heaps';
  return memoryClass === 'contiguous' ? 'the kernel reserved none' : 'the kernel has none of it';
}

/** Why a room does not hold what is asked. */
function narrowness({ limit, capacity }: BudgetGroup, asked: bigint): string {
  const allowed = `policy limits it to ${amountText(limit.value)} (${limit.source})`;
  if (capacity === undefined) return allowed;
  const reserved = `the kernel reserved ${amountText(capacity)}`;
  return capacity < asked || limit.value >= asked ? reserved : `${reserved}, of which ${allowed}`;
}

/** A limit that the heap behind it cannot keep. */
function smallHeap(
  { class: memoryClass, limit, capacity }: BudgetGroup,
  facts: ShortfallFacts,
): readonly Shortfall[] {
  if (capacity === undefined || capacity >= limit.value) return [];
  const lack =
    `policy limits it to ${amountText(limit.value)} (${limit.source}), ` +
    `and the kernel reserved ${amountText(capacity)}`;
  const { inventory, policy } = facts;
  const size = memoryClass === 'contiguous' ? cmaFor(limit.value, inventory, policy) : undefined;
  const mend = size === undefined ? undefined : reserve(size, inventory.machine);
  return [shortfall(memoryClass, [limit.value, capacity], lack, mend)];
}

/** Frames of the largest display that a device is taken to need of which nothing more is known, such as a decoder. */
const SOME_FRAMES = 3n;

/** Devices that take contiguous memory only and reach none. Those of displays and cameras have been told of. */
function unreached(facts: ShortfallFacts): readonly Shortfall[] {
  const { fits, inventory, policy, plans } = facts;
  const heaps = plans.filter((plan) => plan.contiguous).map(({ heap }) => heap.id);
  const ruled = ruledHeaps(inventory, policy);
  const told = new Set(
    fits
      .filter(({ held, requirement }) => held < requirement.frames.value)
      .map(({ requirement }) => requirement.device),
  );
  const lacking = inventory.devices.filter((device) => {
    if (told.has(device)) return false;
    const reach = reachOf(device, ruled, inventory.reach, policy.device(device));
    return contiguousUses(device, policy).some(
      (use) => !reachedFor(reach, [use]).some((heap) => heaps.includes(heap)),
    );
  });
  if (lacking.length === 0) return [];
  const context = sizeContext(inventory);
  const { value: limit } = policy.pool('contiguous', context).limit;
  const some = evaluate({ kind: 'frames', count: SOME_FRAMES }, context);
  const asked = limit < some ? limit : some;
  const lack = `${lacking.map(({ node }) => node).join(', ')} cannot do without, and none is in reach`;
  const mend = heaps.length > 0 ? undefined : contiguousRemedy(asked, undefined, facts);
  return [shortfall('contiguous', [asked, 0n], lack, mend)];
}
