/** How often something may be done: so many times at once, and then once every so many milliseconds. */
export interface Pace {
  readonly atOnce: number;
  readonly every: number;
}

/** Counts how often something was done against how often it may be. */
export class Allowance {
  readonly #pace: Pace;
  #left: number;
  #at: number | undefined;

  constructor(pace: Pace) {
    this.#pace = pace;
    this.#left = pace.atOnce;
  }

  /** @param now milliseconds of a clock that never goes back */
  has(now: number): boolean {
    const rested = now - (this.#at ?? now);
    this.#left = Math.min(this.#pace.atOnce, this.#left + rested / this.#pace.every);
    this.#at = now;
    return this.#left >= 1;
  }

  /** Takes one, when there is one. */
  take(now: number): boolean {
    if (!this.has(now)) return false;
    this.#left -= 1;
    return true;
  }
}
