import { LINEAR, type Memory } from '../constraints/types.js';
import type { Device, Inventory } from '../devices/inventory.js';
import { unknownDriverWarnings } from '../devices/unknown-drivers.js';
import { measure } from '../pools/measure.js';
import { sizeContext } from '../pools/plan.js';
import type { Pool } from '../pools/pool.js';
import type { ListedPool, Pools } from '../pools/pools.js';
import type { Access, Policy } from '../policy/policy.js';
import type { QuotaLimit } from '../ledger/quota.js';
import type { HandOut } from './choose.js';
import { Decisions } from './decisions.js';
import { indexDevices, type DeviceIndex } from './device-index.js';
import { GrantedLayouts } from './layout.js';
import { quotaLimits } from './quota-limits.js';
import type { Rate } from './rates.js';
import { standingOf, type Standing } from './standing.js';
import type { ClassOf } from './text.js';
import type { Owner, Shortfall } from './types.js';

/** All that a decision is made from; a reload replaces it as a whole, so that no request sees half of a policy. */
export interface World {
  readonly inventory: Inventory;
  readonly policy: Policy;
  readonly index: DeviceIndex;
  /** Listed pools as the solver sees them, best first. */
  readonly memories: readonly Memory[];
  /** Pool handle by heap id, best first. */
  readonly handles: ReadonlyMap<string, string>;
  readonly classOf: ClassOf;
  readonly handOut: HandOut;
  /** What was decided so far, which holds as long as all of this does. */
  readonly decisions: Decisions;
  readonly layouts: GrantedLayouts;
  /** What policy allows a connection, which says always the same of one. */
  readonly allowance: (owner: Owner) => Allowance;
  /** @param device of this inventory */
  readonly standing: (device: Device) => Standing;
  readonly shortfalls: readonly Shortfall[];
  /** What a person should know: of policy, of the inventory and of the start. */
  readonly warnings: readonly string[];
}

/** What one owner may hold, and how fast it may ask. */
export interface Allowance {
  readonly limits: readonly QuotaLimit[];
  readonly rate: Rate;
}

export interface WorldOptions {
  readonly inventory: Inventory;
  readonly policy: Policy;
  /** The pools of the policy's plan, best first. */
  readonly listed: readonly ListedPool[];
  /** Whether plain memory is handed out by policy's word only (on the system bus). */
  readonly plainByPolicy: boolean;
  /** Of the start, such as why a heap could not be opened. */
  readonly warnings: readonly string[];
}

export function makeWorld({ inventory, policy, listed, plainByPolicy, warnings }: WorldOptions): World {
  const plans = new Map(listed.map(({ pool, plan }) => [pool.handle, plan]));
  const standings = new Map(
    inventory.devices.map((device) => [device, standingOf(device, inventory, policy)]),
  );
  const standing = (device: Device): Standing =>
    standings.get(device) ?? standingOf(device, inventory, policy);
  return {
    inventory,
    policy,
    index: indexDevices(inventory),
    memories: listed.map(memoryOf),
    handles: new Map(listed.map(({ pool }) => [pool.facts.id, pool.handle])),
    classOf: (handle) => plans.get(handle)?.class ?? 'gone',
    handOut: {
      maxBuffer: policy.maxBuffer(sizeContext(inventory)),
      plain: plainByPolicy ? policy.plainOnSystemBus() : undefined,
      access: ({ handle }) => plans.get(handle)?.access,
    },
    decisions: new Decisions(),
    layouts: new GrantedLayouts(),
    allowance: allowances(policy, inventory),
    standing,
    shortfalls: measure(
      inventory,
      policy,
      listed.map(({ plan }) => plan),
    ).shortfalls,
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

/** Whom policy lets have memory from each of the pools. */
export const doorsOf = (pools: readonly Pool[], { handOut }: World): readonly (readonly Access[])[] =>
  pools.map((pool) => handOut.access(pool)?.value ?? []);

const memoryOf = ({ pool, plan }: ListedPool): Memory => ({
  handle: pool.handle,
  class: pool.class,
  contiguous: pool.class === 'contiguous',
  protected: pool.class === 'protected',
  modifiers: [LINEAR],
  addressBits: plan.addressBits,
});

/** Looked up in policy once for each connection: its sections can be many, and its requests are. */
function allowances(policy: Policy, inventory: Inventory): World['allowance'] {
  const known = new WeakMap<Owner, Allowance>();
  const sizes = sizeContext(inventory);
  return (owner) => {
    const before = known.get(owner);
    if (before !== undefined) return before;
    const { uid, user, groups, unit } = owner;
    const rules = policy.quota(
      { uid, groups, ...(user !== undefined && { user }), ...(unit !== '' && { unit }) },
      sizes,
    );
    const allowance = { limits: quotaLimits(rules), rate: rules };
    known.set(owner, allowance);
    return allowance;
  };
}
