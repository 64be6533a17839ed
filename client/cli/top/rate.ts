/** Milliseconds that a rate looks back. */
export const WINDOW = 10_000;
/** Milliseconds whose events are kept as one number. */
const GRAIN = 100;
/** A rate of less than a second's events would jump. */
const SHORTEST = 1000;

/** How often something happened lately, counted event by event. Times are milliseconds, of one clock. */
export class Rate {
  #counts: { readonly grain: number; readonly count: number }[] = [];

  /** @param at when; events come in any order, as their news does */
  count(events: number, at: number): void {
    if (events <= 0) return;
    const grain = Math.floor(at / GRAIN);
    const there = this.#counts.findIndex((each) => each.grain === grain);
    const count = events + (this.#counts[there]?.count ?? 0);
    if (there < 0) this.#counts.push({ grain, count });
    else this.#counts[there] = { grain, count };
  }

  /** Events a second. @param since when the counting began, if that is not long ago */
  perSecond(now: number, since = -Infinity): number {
    const oldest = (now - WINDOW) / GRAIN;
    this.#counts = this.#counts.filter(({ grain }) => grain > oldest);
    const events = this.#counts.reduce((sum, { count }) => sum + count, 0);
    return (events * 1000) / Math.min(WINDOW, Math.max(SHORTEST, now - since));
  }
}
