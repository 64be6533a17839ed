import type { AllocationInfo, BrokerObject, BrokerStatus, PoolInfo } from '../../model.js';

/** A pool, with how often buffers come from it. */
export interface PoolPicture extends PoolInfo {
  /** Buffers a second that lay ready. */
  readonly hitsPerSecond: number;
  /** Buffers a second that had to be made. */
  readonly missesPerSecond: number;
}

/** What one connection has, and asks. */
export interface OwnerPicture {
  /** Unique bus name. */
  readonly owner: string;
  readonly user: number;
  readonly unit: string;
  /** `mpv[4711]`, where the bus tells it. */
  readonly process?: string;
  /** `held`, or `orphaned`: both at once make two. */
  readonly state: string;
  readonly labels: readonly string[];
  readonly allocations: number;
  readonly buffers: number;
  /** Bytes. */
  readonly size: bigint;
  /** New allocations a second. */
  readonly allocationsPerSecond: number;
}

/** What the broker does at one moment. */
export interface Picture {
  /** Absent while there is no daemon. */
  readonly broker?: BrokerStatus;
  readonly pools: readonly PoolPicture[];
  /** Those with most memory first. */
  readonly owners: readonly OwnerPicture[];
}

/** Counts what a watch of the broker reports, so that it need not be asked again. */
export class Tally {
  readonly #objects: ReadonlyMap<string, BrokerObject>;
  readonly #since: number;
  /** By object path of the pool. */
  readonly #hits = new Map<string, Rate>();
  readonly #misses = new Map<string, Rate>();
  /** By owner. */
  readonly #asked = new Map<string, Rate>();

  /** @param objects of a watch, which keeps them up to date. @param now milliseconds since the epoch, here and below */
  constructor(objects: ReadonlyMap<string, BrokerObject>, now: number) {
    this.#objects = objects;
    this.#since = now;
  }

  added(object: BrokerObject): void {
    if (object.kind !== 'allocation') return;
    const created = object.created.getTime();
    // A daemon that starts anew tells of what it took over as well; only what is new counts.
    if (created >= this.#since) rateOf(this.#asked, object.owner).count(1, created);
  }

  changed(object: BrokerObject, before: BrokerObject, now: number): void {
    if (object.kind !== 'pool' || before.kind !== 'pool') return;
    rateOf(this.#hits, object.path).count(Number(object.hits - before.hits), now);
    rateOf(this.#misses, object.path).count(Number(object.misses - before.misses), now);
  }

  removed(object: BrokerObject): void {
    if (object.kind !== 'pool') return;
    this.#hits.delete(object.path);
    this.#misses.delete(object.path);
  }

  picture(now: number): Picture {
    const all = [...this.#objects.values()];
    const broker = all.find((object) => object.kind === 'broker');
    this.#forgetOwners(now);
    return {
      ...(broker !== undefined && { broker }),
      pools: all
        .filter((object) => object.kind === 'pool')
        .map((pool) => ({
          ...pool,
          hitsPerSecond: rateOf(this.#hits, pool.path).perSecond(now, this.#since),
          missesPerSecond: rateOf(this.#misses, pool.path).perSecond(now, this.#since),
        })),
      owners: this.#owners(
        all.filter((object) => object.kind === 'allocation'),
        now,
      ),
    };
  }

  /** A client that has nothing is not shown, and is forgotten when it asked nothing for as long as rates look back. */
  #forgetOwners(now: number): void {
    for (const [owner, rate] of this.#asked) if (rate.perSecond(now) === 0) this.#asked.delete(owner);
  }

  #owners(allocations: readonly AllocationInfo[], now: number): readonly OwnerPicture[] {
    const groups = new Map<string, AllocationInfo[]>();
    for (const allocation of allocations) {
      const { owner, user, unit, state } = allocation;
      const key = JSON.stringify([owner, user, unit, state]);
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [allocation]);
      else group.push(allocation);
    }
    return [...groups.values()]
      .flatMap(([first, ...others]) => (first === undefined ? [] : [this.#owner(first, others, now)]))
      .toSorted((a, b) => (a.size === b.size ? a.owner.localeCompare(b.owner) : a.size < b.size ? 1 : -1));
  }

  #owner(first: AllocationInfo, others: readonly AllocationInfo[], now: number): OwnerPicture {
    const group = [first, ...others];
    const { owner, user, unit, state } = first;
    return {
      owner,
      user,
      unit,
      state,
      labels: [...new Set(group.map(({ label }) => label))].filter((label) => label !== '').toSorted(),
      allocations: group.length,
      buffers: group.reduce((sum, { layout }) => sum + layout.count, 0),
      size: group.reduce((sum, { size }) => sum + size, 0n),
      allocationsPerSecond: state === 'held' ? (this.#asked.get(owner)?.perSecond(now, this.#since) ?? 0) : 0,
    };
  }
}

function rateOf(rates: Map<string, Rate>, key: string): Rate {
  const there = rates.get(key);
  if (there !== undefined) return there;
  const rate = new Rate();
  rates.set(key, rate);
  return rate;
}

/** Whether any rate is more than nothing, so that the picture changes as time passes. */
export const isBusy = ({ pools, owners }: Picture): boolean =>
  pools.some(({ hitsPerSecond, missesPerSecond }) => hitsPerSecond + missesPerSecond > 0) ||
  owners.some(({ allocationsPerSecond }) => allocationsPerSecond > 0);

/** Milliseconds that a rate looks back. */
export const WINDOW_MS = 10_000;

/** Milliseconds whose events are kept as one number. */
const GRAIN_MS = 100;

/** A rate of less than a second's events would jump. */
const MIN_SPAN_MS = 1000;

/** How often something happened lately, counted event by event. Times are milliseconds, of one clock. */
export class Rate {
  #counts: { readonly grain: number; readonly count: number }[] = [];

  /** @param at when; events come in any order, as their news does */
  count(events: number, at: number): void {
    if (events <= 0) return;
    const grain = Math.floor(at / GRAIN_MS);
    const there = this.#counts.findIndex((each) => each.grain === grain);
    const count = events + (this.#counts[there]?.count ?? 0);
    if (there < 0) this.#counts.push({ grain, count });
    else this.#counts[there] = { grain, count };
  }

  /** Events a second. @param since when the counting began, if that is not long ago */
  perSecond(now: number, since = -Infinity): number {
    const oldest = (now - WINDOW_MS) / GRAIN_MS;
    this.#counts = this.#counts.filter(({ grain }) => grain > oldest);
    const events = this.#counts.reduce((sum, { count }) => sum + count, 0);
    return (events * 1000) / Math.min(WINDOW_MS, Math.max(MIN_SPAN_MS, now - since));
  }
}
