import { ShareExceeded, type Account, type Accounts } from '../../dbus/accounts/account.js';
import { FairQueue } from '../../dbus/accounts/fair-queue.js';
import { BrokerError } from '../../dbus/errors.js';
import type { Clock } from '../base/time.js';
import { TokenBucket, type TokenRate } from '../base/token-bucket.js';
import { EVERY_STEP, MAX_STEPS, type StepAllowance } from '../constraints/conflict.js';
import type { Owner } from './broker-types.js';
import { payerOf } from '../ledger/ledger-types.js';

/** Milliseconds of searching in one turn of the event loop. */
const SLICE_MS = 1;

/**
 * Steps that a user may take in its searches for smallest conflicts: one search of the hardest kind at once, and a quarter
 * of one in each second. Beyond that a set is irreducible, and perhaps not the smallest.
 */
export const STEP_RATE: TokenRate = { burst: MAX_STEPS, intervalMs: 4000 / MAX_STEPS };

/** Work that pauses (yields) every few tenths of a millisecond. */
export type Steps<T> = Generator<void, T>;

/** Runs what takes long between other things, for one caller. */
export interface StepRunner {
  readonly run: <T>(steps: Steps<T>) => Promise<T>;
  /** What the caller's user may take now of the search for a smallest conflict. */
  readonly allowance: StepAllowance;
}

interface Search {
  readonly account: Account;
  /** Identifies the connection of the caller. */
  readonly key: string;
  /** @returns whether it is done */
  readonly step: () => boolean;
  readonly cancel: () => void;
}

/**
 * Runs what takes long on the event loop, of all requests together one slice in each of its turns. Slices go by user, then
 * by connection, to the one that used least. A user's share bounds how many wait, and those of a connection that leaves
 * end.
 */
export class Searches {
  readonly #accounts: Accounts;
  readonly #clock: Clock;
  readonly #waiting = new FairQueue<Search>();
  readonly #allowances = new WeakMap<Account, TokenBucket>();
  readonly #followed: Disposable;
  #next: NodeJS.Immediate | undefined;

  constructor(accounts: Accounts, clock: Clock) {
    this.#accounts = accounts;
    this.#clock = clock;
    this.#followed = accounts.progress.follow(() => !this.#waiting.empty);
  }

  /** For one caller. */
  of(owner: Owner): StepRunner {
    const account = this.#accounts.of(payerOf(owner));
    return {
      run: (steps) => this.run(owner, steps),
      allowance: account.isPrivileged ? EVERY_STEP : this.#allowanceOf(account),
    };
  }

  /** @throws {ShareExceeded | BrokerError} Unavailable when the owner left */
  async run<T>(owner: Owner, steps: Steps<T>): Promise<T> {
    const { bus, name } = owner;
    const account = this.#accounts.of(payerOf(owner));
    const { searches } = account.share;
    if (account.searches >= searches) throw new ShareExceeded(`${searches} searches for conflicts`);
    account.searches += 1;
    try {
      return await new Promise<T>((resolve, reject) => {
        const step = (): boolean => {
          try {
            const { done, value } = steps.next();
            if (done === true) resolve(value);
            return done === true;
          } catch (error) {
            reject(error instanceof Error ? error : new Error(String(error)));
            return true;
          }
        };
        const cancel = (): void => {
          reject(new BrokerError('Unavailable', 'The caller has left the bus.'));
        };
        const search = { account, key: keyOf(bus, name), step, cancel };
        this.#waiting.add(account, search.key, search);
        this.#later();
      });
    } finally {
      account.searches -= 1;
    }
  }

  ownerLeft(bus: string, name: string): void {
    for (const search of this.#waiting.drop(keyOf(bus, name))) search.cancel();
  }

  close(): void {
    clearImmediate(this.#next);
    this.#followed[Symbol.dispose]();
    this.#waiting.clear();
  }

  #allowanceOf(account: Account): StepAllowance {
    const bucket = this.#allowances.get(account) ?? new TokenBucket(STEP_RATE);
    this.#allowances.set(account, bucket);
    return { take: () => bucket.take(this.#clock()) };
  }

  #later(): void {
    this.#next ??= setImmediate(() => {
      this.#next = undefined;
      this.#slice();
    });
  }

  #slice(): void {
    const turn = this.#waiting.next();
    if (turn === undefined) return;
    const { account, key, step } = turn.job;
    const begin = this.#clock();
    const end = begin + SLICE_MS;
    let isDone = step();
    while (!isDone && this.#clock() < end) isDone = step();
    const cost = this.#clock() - begin;
    turn.charge(cost);
    if (isDone) this.#accounts.progress.completed();
    else this.#waiting.putBack(account, key, turn.job);
    if (!this.#waiting.empty) this.#later();
  }
}

const keyOf = (bus: string, name: string): string => `${bus} ${name}`;
