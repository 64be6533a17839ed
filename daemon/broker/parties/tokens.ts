import { RecentMap } from '../../base/recent-map.js';
import type { Clock } from '../../base/time.js';
import { LimitsExceeded } from '../../../dbus/errors.js';
import type { Owner } from '../broker-types.js';
import { PARTY_LIMITS } from './party-types.js';

/** 32 hexadecimal digits. */
const TOKEN_BYTES = 16;
const WINDOW_MS = 60_000;
/** Connections whose wrong tokens are remembered. */
const MAX_CONNECTIONS = 1024;

interface Wrong {
  /** Milliseconds of the clock. */
  since: number;
  count: number;
}

/** The tokens of all collections. A token is random, works once, and stands in no log. */
export class Tokens<Seat> {
  readonly #randomHex: (bytes: number) => string;
  readonly #clock: Clock;
  readonly #seats = new Map<string, Seat>();
  readonly #wrong = new RecentMap<string, Wrong>(MAX_CONNECTIONS);

  constructor(randomHex: (bytes: number) => string, clock: Clock) {
    this.#randomHex = randomHex;
    this.#clock = clock;
  }

  make(seat: Seat): string {
    const token = this.#randomHex(TOKEN_BYTES);
    this.#seats.set(token, seat);
    return token;
  }

  /**
   * What a token stands for; it is not used up yet.
   * @throws {LimitsExceeded} after ten wrong ones of the connection in a minute
   */
  find({ bus, name }: Owner, token: string, isFor: (seat: Seat) => boolean): Seat | undefined {
    const now = this.#clock();
    const { value: wrong } = this.#wrong.use(`${bus} ${name}`, () => ({ since: now, count: 0 }));
    if (now - wrong.since >= WINDOW_MS) {
      wrong.since = now;
      wrong.count = 0;
    }
    if (wrong.count >= PARTY_LIMITS.wrongTokens) throw new LimitsExceeded(TOO_MANY);
    const seat = this.#seats.get(token);
    if (seat !== undefined && isFor(seat)) return seat;
    wrong.count += 1;
    return undefined;
  }

  of(token: string): Seat | undefined {
    return this.#seats.get(token);
  }

  remove(token: string): void {
    this.#seats.delete(token);
  }
}

const TOO_MANY = `${PARTY_LIMITS.wrongTokens} wrong tokens in a minute; wait for the rest of it.`;
