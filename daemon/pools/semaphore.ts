import { Account, ADMINISTRATOR_SHARE, type Requester } from '../../dbus/accounts/account.js';
import { FairQueue } from '../../dbus/accounts/fair-queue.js';
import type { Clock } from '../base/time.js';

/** Counts what a job cost: milliseconds. */
type Charge = (cost: number) => void;

/**
 * Lets so many jobs run at once; the others wait their turn, by user and then by connection, each time the one whose jobs
 * took the least time. So one that asks for a thousand does not make another wait for all of them.
 */
export class Semaphore {
  readonly #width: number;
  readonly #clock: Clock;
  readonly #changed: (isBusy: boolean) => void;
  /** Of work that no user asked for: what is made and cleared to lie ready. */
  readonly #own: Requester = { account: new Account(undefined, ADMINISTRATOR_SHARE), name: '' };
  #free: number;
  readonly #waiting = new FairQueue<(turn: Charge) => void>();

  /** @param changed told when a job begins while none runs, and when none is left */
  constructor(width: number, clock: Clock, changed: (isBusy: boolean) => void = () => undefined) {
    this.#width = width;
    this.#clock = clock;
    this.#changed = changed;
    this.#free = width;
  }

  async run<T>(job: () => Promise<T>, { account, name }: Requester = this.#own): Promise<T> {
    const charge = this.#free > 0 ? this.#enter(account) : await this.#turn(account, name);
    const begin = this.#clock();
    try {
      return await job();
    } finally {
      charge(this.#clock() - begin);
      this.#pass();
    }
  }

  #enter(account: Account): Charge {
    if (this.#free === this.#width) this.#changed(true);
    this.#free -= 1;
    return (cost) => {
      this.#waiting.serveAtOnce(account, cost);
    };
  }

  /** The place goes straight to the next in line, so that a newcomer cannot slip in before it. */
  #pass(): void {
    const next = this.#waiting.next();
    if (next !== undefined) {
      next.job(next.charge);
      return;
    }
    this.#free += 1;
    if (this.#free === this.#width) this.#changed(false);
  }

  #turn(account: Account, name: string): Promise<Charge> {
    return new Promise((enter) => {
      this.#waiting.add(account, name, enter);
    });
  }
}
