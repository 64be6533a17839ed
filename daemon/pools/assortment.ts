import { scoreNow, type Demand } from './demand.js';

/** How many buffers of each size should lie ready, the most asked first. */
export type Assortment = ReadonlyMap<bigint, number>;

/** Buffers of one size that are kept ready at most: as many as one call gives. */
const MOST_READY = 16;

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
export function assortment(demand: Demand, budget: bigint, now: number): Assortment {
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
const most = (score: number): number => Math.min(Math.max(Math.ceil(score), 1), MOST_READY);

const unitsOf = ({ size, score }: { readonly size: bigint; readonly score: number }): readonly Unit[] =>
  Array.from({ length: most(score) }, (_, i) => ({ size, worth: score / (i + 1) }));

function bytesOf(assortment: Assortment): bigint {
  let sum = 0n;
  for (const [size, count] of assortment) sum += size * BigInt(count);
  return sum;
}
