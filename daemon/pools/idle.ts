import type { Clock, Later } from '../base/time.js';

/** Something that has to be ended some time. */
export interface Expiring {
  /** When, in milliseconds of the broker's clock; `Infinity` when there is nothing to end. */
  readonly expiry: number;
  expire(): void;
}

/** Milliseconds: an idle machine is not woken more often. */
const MIN_WAKE_INTERVAL_MS = 10_000;

/** Ends what is not asked for any more. It sets no timer while there is nothing to end. */
export class Idle {
  readonly #later: Later;
  readonly #clock: Clock;
  readonly #all: () => Iterable<Expiring>;
  #timer: { readonly at: number; readonly cancel: Disposable } | undefined;
  #closed = false;

  constructor(later: Later, clock: Clock, all: () => Iterable<Expiring>) {
    this.#later = later;
    this.#clock = clock;
    this.#all = all;
  }

  /** Something has to be ended at a time, in milliseconds of the broker's clock; some seconds later will do. */
  arm(expiry: number): void {
    if (this.#closed || expiry === Infinity) return;
    const at = Math.max(expiry, this.#clock() + MIN_WAKE_INTERVAL_MS);
    if (this.#timer !== undefined && this.#timer.at <= at) return;
    this.rest();
    const cancel = this.#later(at - this.#clock(), () => {
      this.#timer = undefined;
      for (const one of this.#all()) one.expire();
      this.arm(Math.min(...[...this.#all()].map((one) => one.expiry)));
    });
    this.#timer = { at, cancel };
  }

  /** There is nothing to end. */
  rest(): void {
    this.#timer?.cancel[Symbol.dispose]();
    this.#timer = undefined;
  }

  close(): void {
    this.#closed = true;
    this.rest();
  }
}
