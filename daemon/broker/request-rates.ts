import { RecentMap } from '../base/recent-map.js';
import { TokenBucket } from '../base/token-bucket.js';
import type { PolicyValue } from '../policy/policy.js';

/** How fast a user may ask. */
export interface Rate {
  /** Requests a second, for long. */
  readonly rate: PolicyValue<number>;
  /** Requests at once, after a rest. */
  readonly burst: PolicyValue<number>;
}

/** Users that are remembered; one who asks for little is as good as forgotten. */
const MAX_USERS = 1024;

/** Counts every user's requests against what policy allows it a second. */
export class RequestRates {
  readonly #clock: () => number;
  readonly #buckets = new RecentMap<number, TokenBucket>(MAX_USERS);

  /** @param clock milliseconds that never go back */
  constructor(clock: () => number) {
    this.#clock = clock;
  }

  /** Counts a request, or says why it is one too many. */
  admit(uid: number, { rate, burst }: Rate): string | undefined {
    const pace = { burst: burst.value, intervalMs: 1000 / rate.value };
    const { value: bucket } = this.#buckets.use(uid, () => new TokenBucket(pace));
    bucket.pace = pace;
    if (bucket.take(this.#clock())) return undefined;
    const wait = rate.value === 0 ? '' : `; ask again in ${Math.ceil(bucket.waitMs)} ms`;
    return (
      `Rate allows user ${uid} to make ${rate.value} requests a second (${rate.source}) and Burst ${burst.value} at once ` +
      `(${burst.source}); all are used${wait}.`
    );
  }
}
