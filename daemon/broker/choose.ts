import type { Requester } from '../../dbus/accounts/account.js';
import type { Picture } from '../heaps/heap.js';
import type { Amount } from '../ledger/usage.js';
import type { Pool } from '../pools/pool.js';
import { allowPlain } from '../sizing/remedies.js';
import { preciseText } from '../sizing/amount.js';
import { access as accessWords } from '../policy/access-list.js';
import type { Access, PolicyValue } from '../policy/policy.js';
import { isAllowed, type Caller } from './pool-access.js';

/** What a call asks of a pool. */
export interface Demand {
  /** Bytes of one buffer. */
  readonly size: bigint;
  /** Bytes of each of its descriptors; absent where it has one. */
  readonly fdSizes?: readonly bigint[] | undefined;
  readonly count: number;
  /** Those that ask take turns at having memory made. */
  readonly requester?: Requester;
  /** What a buffer of the pool is made for, where its driver must know that. */
  readonly pictureIn?: (pool: Pool) => Picture | undefined;
}

/** What a demand counts as: each descriptor of a buffer is a buffer of its pool. */
export const askedOf = ({ size, fdSizes, count }: Demand): Amount => ({
  bytes: size * BigInt(count),
  buffers: count * (fdSizes?.length ?? 1),
});

/** Policy's word on handing out memory. */
export interface HandOutRules {
  /** Bytes that one buffer may have. */
  readonly maxBuffer: PolicyValue<bigint>;
  /** Whether memory that is no dma-buf may be handed out at all, when policy has a say (on the system bus). */
  readonly plain: PolicyValue<boolean> | undefined;
  /** Who may take from a pool that is listed. */
  readonly access: (pool: Pool) => PolicyValue<readonly Access[]> | undefined;
}

/** Why `Allocate` refuses, for a person. */
export interface Refusal {
  readonly code: 'QuotaExceeded' | 'AccessDenied' | 'PoolExhausted' | 'Unavailable';
  readonly text: string;
}

/** Which pools have room for a demand, best first, or why there is none. */
export type Choice =
  { readonly ok: true; readonly pools: readonly Pool[] } | { readonly ok: false; readonly refusal: Refusal };

/** Decides which of the suitable pools may give the buffers. */
export function choosePools(
  pools: readonly Pool[],
  demand: Demand,
  caller: Caller,
  handOut: HandOutRules,
): Choice {
  const { size } = demand;
  const { maxBuffer } = handOut;
  if (size > maxBuffer.value) {
    const text =
      `MaxBuffer limits one buffer to ${preciseText(maxBuffer.value)} (${maxBuffer.source}); ` +
      `${preciseText(size)} were requested.`;
    return refused('QuotaExceeded', text);
  }
  if (pools.length === 0) return { ok: false, refusal: GONE };
  const open = pools.filter((pool) => banOf(pool, caller, handOut) === undefined);
  const withSpace = open.filter((pool) => lackOf(pool, demand) === undefined);
  if (withSpace.length > 0) return { ok: true, pools: withSpace };
  return { ok: false, refusal: noneWillDo(pools, demand, caller, handOut) };
}

/** Why policy forbids every pool, or those that it does not forbid lack something. */
function noneWillDo(pools: readonly Pool[], demand: Demand, caller: Caller, handOut: HandOutRules): Refusal {
  const judged = pools.map((pool) => ({ pool, ban: banOf(pool, caller, handOut) }));
  const allowed = judged.flatMap(({ pool, ban }) => (ban === undefined ? [pool] : []));
  if (allowed.length === 0) {
    const bans = judged.flatMap(({ ban }) => ban ?? []).join('; ');
    const isPlain = pools.every((pool) => !pool.countsReferences);
    // All that would do is plain memory: most often because no heap could be opened.
    const help = isPlain
      ? ` To have plain memory handed out, ${allowPlain}; dmabrokerctl advise says more.`
      : '';
    return { code: 'AccessDenied', text: `Policy forbids every suitable pool: ${bans}.${help}` };
  }
  return exhausted(allowed.flatMap((pool) => lackOf(pool, demand) ?? []));
}

/** The pools that would do were closed, or taken off the list, after that was decided. */
export const GONE: Refusal = {
  code: 'Unavailable',
  text: 'The chosen pool was closed during the request; try again.',
};

/** Every pool that would do lacks something. */
export const exhausted = (lacks: readonly string[]): Refusal => ({
  code: 'PoolExhausted',
  text: `No suitable pool has room: ${lacks.join('; ')}.`,
});

/** Says of a pool that the kernel has no such memory left, whatever the budget says. */
export const memoryLack = (pool: Pool, { size, count }: Demand): string =>
  `${nameOf(pool)} has no memory left for ${count} × ${preciseText(size)}`;

/** Says of a pool that its budget is used. */
export function budgetLack(pool: Pool, { size, count }: Demand): string {
  const { limit, live, available } = pool.budget;
  return `${nameOf(pool)} has ${preciseText(live)} of ${preciseText(limit)} in use and ${preciseText(available)} available; ${preciseText(size * BigInt(count))} were requested`;
}

/** Says of a pool that policy leaves the rest of it to other users. */
export function shareLack(pool: Pool, { size, count, requester }: Demand): string {
  const { share, most } = pool.shares;
  const uid = requester?.account.uid ?? 0;
  return (
    `Share= lets one user hold ${share}% of ${nameOf(pool)}, ${preciseText(most)}; user ${uid} holds ` +
    `${preciseText(pool.shares.heldBy(uid))}, and ${preciseText(size * BigInt(count))} were requested`
  );
}

/** Whether policy lets the caller have memory from a pool. */
export const isOpenTo = (pool: Pool, caller: Caller, handOut: HandOutRules): boolean =>
  banOf(pool, caller, handOut) === undefined;

/** Why policy does not let the caller have memory from a pool. */
function banOf(pool: Pool, caller: Caller, { plain, access }: HandOutRules): string | undefined {
  if (plain?.value === false && !pool.countsReferences)
    return `${nameOf(pool)} is not memory for devices, and PlainOnSystemBus= is no (${plain.source})`;
  const accessList = access(pool);
  if (accessList === undefined) return `policy does not use ${nameOf(pool)}`;
  if (isAllowed(caller, accessList.value)) return undefined;
  return `${nameOf(pool)} is for ${accessWords.print(accessList.value)} (${accessList.source})`;
}

function lackOf(pool: Pool, demand: Demand): string | undefined {
  const largest = pool.facts.maxBuffer?.value;
  const tooLarge = (demand.fdSizes ?? [demand.size]).find((size) => largest !== undefined && size > largest);
  if (largest !== undefined && tooLarge !== undefined) {
    return `${nameOf(pool)} has buffers of at most ${preciseText(largest)}; ${preciseText(tooLarge)} were requested`;
  }
  const asked = demand.size * BigInt(demand.count);
  if (asked > pool.budget.available) return budgetLack(pool, demand);
  return pool.shares.allows(demand.requester?.account.uid, asked) ? undefined : shareLack(pool, demand);
}

const nameOf = ({ handle, class: memoryClass }: Pool): string => `pool ${handle} (${memoryClass})`;

const refused = (code: Refusal['code'], text: string): Choice => ({ ok: false, refusal: { code, text } });
