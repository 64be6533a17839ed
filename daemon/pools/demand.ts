/** How often one size was asked lately. */
export interface AskedSize {
  /** Bytes. */
  readonly size: bigint;
  /** Buffers asked, each counting half as much with every half-life that passed until `asked`. */
  readonly score: number;
  /** When it was asked last: milliseconds of the broker's clock. */
  readonly asked: number;
}

/** The sizes that were asked lately, the latest first. A value: what changes it makes a new one. */
export type Demand = readonly AskedSize[];

export const NO_DEMAND: Demand = [];

/** Milliseconds in which an old request comes to count half. */
const HALF_LIFE_MS = 60_000;
/** Sizes that are remembered, however many new ones are asked for. */
const MAX_SIZES = 64;

/** How much a size was asked, as it counts now. */
export const scoreNow = ({ score, asked }: AskedSize, now: number): number =>
  score * 2 ** ((asked - now) / HALF_LIFE_MS);

/** So many buffers of a size were asked. When there are too many sizes, the least asked one is forgotten. */
export function noted(demand: Demand, size: bigint, count: number, now: number): Demand {
  const known = demand.find((entry) => entry.size === size);
  const score = count + (known === undefined ? 0 : scoreNow(known, now));
  const others = demand.filter((entry) => entry !== known);
  if (others.length === MAX_SIZES) others.splice(leastAsked(others, now), 1);
  return [{ size, score, asked: now }, ...others];
}

/** What was asked at `since` or later. */
export const askedSince = (demand: Demand, since: number): Demand =>
  demand.filter(({ asked }) => asked >= since);

function leastAsked(entries: Demand, now: number): number {
  const scores = entries.map((entry) => scoreNow(entry, now));
  return scores.indexOf(Math.min(...scores));
}
