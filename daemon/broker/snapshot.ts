import { LINEAR, type Memory, type Layout } from '../constraints/constraint-types.js';
import type { Device, Inventory } from '../devices/inventory.js';
import { unknownDriverWarnings } from '../devices/unknown-drivers.js';
import { nothingToHandOut } from '../sizing/nothing.js';
import { measure } from '../sizing/simulate.js';
import { sizeContext } from '../sizing/plan.js';
import type { Pool } from '../pools/pool.js';
import type { ListedPool, Pools } from '../pools/pools.js';
import type { Access, Policy, QuotaRules, PolicyValue, DeviceRules } from '../policy/policy.js';
import type { QuotaLimit } from '../ledger/quota.js';
import { ruledHeaps } from '../devices/ruled-heaps.js';
import { reachOf, type Reach } from '../devices/reach.js';
import type { HandOutRules } from './choose.js';
import { Decisions } from './decisions.js';
import { indexDevices, type DeviceIndex } from './device-index.js';
import type { Rate } from './request-rates.js';
import type { ClassOf } from './constraint-text.js';
import type { Owner, Shortfall, GrantedLayout } from './broker-types.js';

/** All that a decision is made from; a reload replaces it as a whole, so that no request sees half of a policy. */
export interface Snapshot {
  readonly inventory: Inventory;
  readonly policy: Policy;
  readonly index: DeviceIndex;
  /** Listed pools as the solver sees them, best first. */
  readonly memories: readonly Memory[];
  /** Pool handle by heap id, best first. */
  readonly handles: ReadonlyMap<string, string>;
  readonly classOf: ClassOf;
  readonly handOut: HandOutRules;
  /** Whether a pool's buffers are made as the picture that they are for. */
  readonly makesPictures: (pool: Pool) => boolean;
  /** Handles of the pools whose memory takes any bytes in any order, and that devices import. */
  readonly holdsTiles: ReadonlySet<string>;
  /** What was decided so far, which holds as long as all of this does. */
  readonly decisions: Decisions;
  readonly layouts: GrantedLayouts;
  /** What policy allows a connection, which says always the same of one. */
  readonly limitsOf: (owner: Owner) => OwnerLimits;
  /** @param device of this inventory */
  readonly devicePolicy: (device: Device) => DevicePolicy;
  readonly shortfalls: readonly Shortfall[];
  /** What a person should know: of policy, of the inventory and of the start. */
  readonly warnings: readonly string[];
}

/** What one owner may hold, and how fast it may ask. */
export interface OwnerLimits {
  readonly limits: readonly QuotaLimit[];
  readonly rate: Rate;
  readonly channels: Pick<QuotaRules, 'channels' | 'clientChannels'>;
}

export interface SnapshotOptions {
  readonly inventory: Inventory;
  readonly policy: Policy;
  /** The pools of the policy's plan, best first. */
  readonly listed: readonly ListedPool[];
  /** Whether plain memory is handed out by policy's word only (on the system bus). */
  readonly plainByPolicy: boolean;
  /** Warnings of the start, such as why a heap could not be opened. */
  readonly warnings: readonly string[];
}

export function makeSnapshot({
  inventory,
  policy,
  listed,
  plainByPolicy,
  warnings,
}: SnapshotOptions): Snapshot {
  const plans = new Map(listed.map(({ pool, plan }) => [pool.handle, plan]));
  const ruled = { heaps: ruledHeaps(inventory, policy), reach: inventory.reach };
  const plain = plainByPolicy ? policy.plainOnSystemBus() : undefined;
  const devicePolicies = new Map(
    inventory.devices.map((device) => [device, devicePolicyOf(device, ruled, policy)]),
  );
  const devicePolicy = (device: Device): DevicePolicy =>
    devicePolicies.get(device) ?? devicePolicyOf(device, ruled, policy);
  return {
    inventory,
    policy,
    index: indexDevices(inventory),
    memories: listed.map(memoryOf),
    handles: new Map(listed.map(({ pool }) => [pool.facts.id, pool.handle])),
    classOf: (handle) => plans.get(handle)?.class ?? 'gone',
    handOut: {
      maxBuffer: policy.maxBuffer(sizeContext(inventory)),
      plain,
      access: ({ handle }) => plans.get(handle)?.access,
    },
    makesPictures: ({ handle }) => plans.get(handle)?.geometry === true,
    holdsTiles: new Set(listed.filter(holdsTiles).map(({ pool }) => pool.handle)),
    decisions: new Decisions(),
    layouts: new GrantedLayouts(),
    limitsOf: ownerLimits(policy, inventory),
    devicePolicy,
    shortfalls: [
      ...(plain?.value === false && listed.every(({ pool }) => !pool.countsReferences)
        ? [nothingToHandOut(inventory, plain)]
        : []),
      ...measure(
        inventory,
        policy,
        listed.map(({ plan }) => plan),
      ).shortfalls,
    ],
    warnings: [
      ...policy.warnings,
      ...inventory.warnings,
      ...warnings,
      ...unknownDriverWarnings(inventory, policy),
    ],
  };
}

/**
 * The pools behind memories, in their order; what a reload took off the list meanwhile is left out. A loop, because
 * `flatMap` was a twentieth of what a request costs.
 */
export function poolsOf(memories: readonly Memory[], pools: Pools): readonly Pool[] {
  const found: Pool[] = [];
  for (const { handle } of memories) {
    const pool = pools.get(handle);
    if (pool !== undefined) found.push(pool);
  }
  return found;
}

/** Which users policy lets have memory from each of the pools. */
export const accessListsOf = (
  pools: readonly Pool[],
  { handOut }: Snapshot,
): readonly (readonly Access[])[] => pools.map((pool) => handOut.access(pool)?.value ?? []);

const memoryOf = ({ pool, plan }: ListedPool): Memory => ({
  handle: pool.handle,
  class: pool.class,
  contiguous: plan.contiguous,
  protected: pool.class === 'protected',
  modifiers: [LINEAR],
  addressBits: plan.addressBits,
});

/**
 * A driver makes its own buffers for linear pictures, protected memory cannot be cleared, and no device imports plain
 * memory: they stay linear.
 */
const holdsTiles = ({ pool, plan }: ListedPool): boolean =>
  (pool.facts.kind === 'dma-heap' || pool.facts.kind === 'udmabuf') &&
  pool.class !== 'protected' &&
  !plan.geometry;

/** Looked up in policy once for each connection: its sections can be many, and its requests are. */
function ownerLimits(policy: Policy, inventory: Inventory): Snapshot['limitsOf'] {
  const cache = new WeakMap<Owner, OwnerLimits>();
  const sizes = sizeContext(inventory);
  return (owner) => {
    const before = cache.get(owner);
    if (before !== undefined) return before;
    const { uid, user, groups, unit } = owner;
    const rules = policy.quota(
      { uid, groups, ...(user !== undefined && { user }), ...(unit !== '' && { unit }) },
      sizes,
    );
    const made = { limits: quotaLimits(rules), rate: rules, channels: rules };
    cache.set(owner, made);
    return made;
  };
}

/** A layout with what its pool adds to it. */
const grantedLayout = (layout: Layout, pool: Pool, count: number): GrantedLayout => ({
  ...layout,
  count,
  pool: pool.handle,
  cpuAccess: pool.facts.cpuAccess,
});

/** Layouts as they are granted, each made once, so that each is also encoded only once. */
class GrantedLayouts {
  readonly #cache = new WeakMap<Layout, Map<string, GrantedLayout>>();

  of(layout: Layout, pool: Pool, count: number): GrantedLayout {
    const key = `${pool.handle} ${count}`;
    const of = this.#cache.get(layout);
    const known = of?.get(key);
    if (known !== undefined) return known;
    const granted = grantedLayout(layout, pool, count);
    if (of === undefined) this.#cache.set(layout, new Map([[key, granted]]));
    else of.set(key, granted);
    return granted;
  }
}

/** Policy's word on what one caller may hold, as the ledger counts it; whatever is refused first is named. */
const quotaLimits = (rules: QuotaRules): readonly QuotaLimit[] => [
  { key: 'Bytes', subject: 'user', unit: 'bytes', ...rules.bytes },
  { key: 'Buffers', subject: 'user', unit: 'buffers', ...wide(rules.buffers) },
  { key: 'ClientBytes', subject: 'client', unit: 'bytes', ...rules.clientBytes },
  { key: 'ClientBuffers', subject: 'client', unit: 'buffers', ...wide(rules.clientBuffers) },
  { key: 'UnitBytes', subject: 'unit', unit: 'bytes', ...rules.unitBytes },
  { key: 'UnitBuffers', subject: 'unit', unit: 'buffers', ...wide(rules.unitBuffers) },
];

const wide = ({ value, source }: PolicyValue<number>): PolicyValue<bigint> => ({
  value: BigInt(value),
  source,
});

/** Where a device stands: what policy says of it, and which heaps it can import from. */
interface DevicePolicy {
  readonly rules: DeviceRules;
  readonly reach: Reach;
}

/** @param heaps as policy has them */
function devicePolicyOf(
  device: Device,
  { heaps, reach }: Pick<Inventory, 'heaps' | 'reach'>,
  policy: Policy,
): DevicePolicy {
  const rules = policy.device(device);
  return { rules, reach: reachOf(device, heaps, reach, rules) };
}
