import type { PolicyValue } from '../policy/policy.js';

/** How fast a user may ask. */
export interface Rate {
  /** Requests a second, for long. */
  readonly rate: PolicyValue<number>;
  /** Requests at once, after a rest. */
  readonly burst: PolicyValue<number>;
}

interface Bucket {
  tokens: number;
  /** Milliseconds of the broker's clock when it held so many. */
  at: number;
}

/** Users that are remembered; one who asks for little is as good as forgotten. */
const MAX_USERS = 1024;

/** Counts every user's requests against what policy allows it a second. */
export class RequestRates {
  readonly #clock: () => number;
  readonly #buckets = new Map<number, Bucket>();

  /** @param clock milliseconds that never go back */
  constructor(clock: () => number) {
    this.#clock = clock;
  }

  /** Counts a request, or says why it is one too many. */
  admit(uid: number, { rate, burst }: Rate): string | undefined {
    const now = this.#clock();
    const bucket = this.#buckets.get(uid) ?? { tokens: burst.value, at: now };
    bucket.tokens = Math.min(burst.value, bucket.tokens + ((now - bucket.at) / 1000) * rate.value);
    bucket.at = now;
    this.#remember(uid, bucket);
    if (bucket.tokens >= 1) {
      bucket.tokens -= 1;
      return undefined;
    }
    const wait =
      rate.value === 0 ? '' : `; ask again in ${Math.ceil(((1 - bucket.tokens) * 1000) / rate.value)} ms`;
    return (
      `Rate allows user ${uid} ${rate.value} requests a second (${rate.source}) and Burst ${burst.value} at once ` +
      `(${burst.source}); all are used and 1 was asked${wait}.`
    );
  }

  /** The one who asked longest ago is forgotten first. */
  #remember(uid: number, bucket: Bucket): void {
    this.#buckets.delete(uid);
    this.#buckets.set(uid, bucket);
    if (this.#buckets.size <= MAX_USERS) return;
    const [oldest] = this.#buckets.keys();
    if (oldest !== undefined) this.#buckets.delete(oldest);
  }
}
