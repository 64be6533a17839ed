/** How often something may be done: so many times at once, and then once every so many milliseconds. */
export interface TokenRate {
  readonly burst: number;
  /** `Infinity` for never again. */
  readonly intervalMs: number;
}

/** Counts how often something was done against how often it may be. */
export class TokenBucket {
  #rate: TokenRate;
  #tokens: number;
  #at: number | undefined;

  constructor(pace: TokenRate) {
    this.#rate = pace;
    this.#tokens = pace.burst;
  }

  /** Another pace from now on; what was saved up stays, as far as it may. */
  set pace(pace: TokenRate) {
    this.#rate = pace;
  }

  /** @param now milliseconds of a clock that never goes back */
  has(now: number): boolean {
    const rested = now - (this.#at ?? now);
    this.#tokens = Math.min(this.#rate.burst, this.#tokens + rested / this.#rate.intervalMs);
    this.#at = now;
    return this.#tokens >= 1;
  }

  /** Takes one, when there is one. */
  take(now: number): boolean {
    if (!this.has(now)) return false;
    this.#tokens -= 1;
    return true;
  }

  /** Milliseconds from the last look until there is one. */
  get waitMs(): number {
    return Math.max(0, (1 - this.#tokens) * this.#rate.intervalMs);
  }
}
