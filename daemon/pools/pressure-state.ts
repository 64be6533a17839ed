/** How short the machine is of memory. A value; an event makes a new one. */
export interface Pressure {
  /** Milliseconds of the broker's clock when it was seen last. */
  readonly seen: number;
  /** Times that it was seen without a calm between. */
  readonly times: number;
}

export const NO_PRESSURE: Pressure = { seen: -Infinity, times: 0 };

/** How much of what lies ready is given back. */
export type Share = 'half' | 'all';

/** What there is of memory, in bytes. */
export interface Memory {
  readonly total: bigint;
  readonly available: bigint;
}

/** Milliseconds without a sign of it until pressure is over. */
const CALM_MS = 10_000;

/** Less than this is short: a sixteenth of RAM, and no machine needs more than 512 MiB to get on. */
const MIN_FREE_FRACTION = 16n;
const MIN_FREE_BYTES = 512n * 2n ** 20n;

export const isOver = ({ seen }: Pressure, now: number): boolean => now - seen >= CALM_MS;

/** Pressure was seen: half goes at once, and all when that was not enough. */
export function pressed(
  before: Pressure,
  now: number,
): { readonly pressure: Pressure; readonly share: Share } {
  const times = isOver(before, now) ? 1 : before.times + 1;
  return { pressure: { seen: now, times }, share: times === 1 ? 'half' : 'all' };
}

/** Whether the machine is short of memory. */
export const isShort = (memory: Memory): boolean => memory.available < least(memory);

/** Whether so many bytes more may be taken ahead of any request: the machine is far from short after it. */
export const hasPlenty = (memory: Memory, bytes: bigint): boolean =>
  memory.available - bytes >= 2n * least(memory);

/** Whether tasks waited for memory for a tenth of a time, in milliseconds; what they waited, in microseconds. */
export const stillWait = (waited: number, time: number): boolean => waited >= time * 100;

function least({ total }: Memory): bigint {
  const share = total / MIN_FREE_FRACTION;
  return share < MIN_FREE_BYTES ? share : MIN_FREE_BYTES;
}
