import { scoreNow, type Demand, askedSince, NO_DEMAND, noted } from './demand.js';

/** How many buffers of each size should lie ready, the most asked first. */
export type StockTarget = ReadonlyMap<bigint, number>;

/** Buffers of one size that are kept ready at most: as many as one call gives. */
const MAX_READY = 16;

interface Unit {
  readonly size: bigint;
  /** How much it was asked for each of the buffers up to this one. */
  readonly worth: number;
}

/**
 * Decides what should lie ready: of each size as many as were asked lately, and one at least. Where the budget is short,
 * the buffer that is likelier to be asked next goes first: the more a size was asked for each that there already is.
 * @param demand what counts at all; older sizes are forgotten before
 * @param budget bytes
 */
export function stockTarget(demand: Demand, budget: bigint, now: number): StockTarget {
  const wishes = demand
    .map((entry) => ({ size: entry.size, score: scoreNow(entry, now) }))
    .sort((a, b) => b.score - a.score);
  const all = new Map(wishes.map(({ size, score }) => [size, most(score)]));
  if (bytesOf(all) <= budget) return all;
  const units = wishes.flatMap(unitsOf);
  units.sort((a, b) => b.worth - a.worth);
  const ready = new Map<bigint, number>();
  let left = budget;
  for (const { size } of units) {
    if (size > left) continue;
    left -= size;
    ready.set(size, (ready.get(size) ?? 0) + 1);
  }
  return ready;
}

/** Buffers of a size that should lie ready where there is room for everything. */
const most = (score: number): number => Math.min(Math.max(Math.ceil(score), 1), MAX_READY);

const unitsOf = ({ size, score }: { readonly size: bigint; readonly score: number }): readonly Unit[] =>
  Array.from({ length: most(score) }, (_, i) => ({ size, worth: score / (i + 1) }));

function bytesOf(target: StockTarget): bigint {
  let sum = 0n;
  for (const [size, count] of target) sum += size * BigInt(count);
  return sum;
}

/** Milliseconds for which a decision holds without new requests, and for which it is near enough in spite of some. */
const DECISION_VALID_MS = 1000;
const DECISION_REUSE_MS = 100;

interface Decision {
  readonly demand: Demand;
  readonly budget: bigint;
  readonly at: number;
  readonly target: StockTarget;
}

/** What a pool should have ready, by what was asked of it. */
export class StockPlanner {
  /** Milliseconds after which a size that is not asked for is forgotten. */
  idle = 0;
  #demand: Demand = NO_DEMAND;
  #decision: Decision | undefined;

  ask(size: bigint, count: number, now: number): void {
    this.#demand = noted(this.#demand, size, count, now);
  }

  /** When a size was asked last, in milliseconds of the broker's clock; undefined when it is forgotten. */
  lastAsked(size: bigint): number | undefined {
    return this.#demand.find((entry) => entry.size === size)?.asked;
  }

  /** What should be ready. @param budget bytes that may be */
  exactly(budget: bigint, now: number): StockTarget {
    const last = this.#decision;
    if (last?.demand === this.#demand && last.budget === budget && now - last.at < DECISION_VALID_MS)
      return last.target;
    this.#demand = askedSince(this.#demand, now - this.idle);
    const decided = stockTarget(this.#demand, budget, now);
    this.#decision = { demand: this.#demand, budget, at: now, target: decided };
    return decided;
  }

  /** About what should be ready: deciding anew with every request would cost more than serving it. */
  about(budget: bigint, now: number): StockTarget {
    const last = this.#decision;
    return last !== undefined && now - last.at < DECISION_REUSE_MS ? last.target : this.exactly(budget, now);
  }
}
