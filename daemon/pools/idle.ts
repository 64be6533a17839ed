import type { Clock, Later } from './time.js';

/** Something that has to be ended some time. */
export interface Expiring {
  /** When, in milliseconds of the broker's clock; undefined when there is nothing to end. */
  readonly expiry: number | undefined;
  expire(): void;
}

/** Milliseconds: an idle machine is not woken more often. */
const LEAST_PAUSE = 10_000;

/** Ends what nobody asks for any more. It sets no timer while there is nothing to end. */
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

  /** Something may have to be ended sooner than was known. */
  arm(): void {
    if (this.#closed) return;
    const soon = Math.min(...[...this.#all()].map(({ expiry }) => expiry ?? Infinity));
    if (soon === Infinity) {
      this.#cancel();
      return;
    }
    const at = Math.max(soon, this.#clock() + LEAST_PAUSE);
    if (this.#timer !== undefined && this.#timer.at <= at) return;
    this.#cancel();
    const cancel = this.#later(at - this.#clock(), () => {
      this.#timer = undefined;
      for (const one of this.#all()) one.expire();
      this.arm();
    });
    this.#timer = { at, cancel };
  }

  close(): void {
    this.#closed = true;
    this.#cancel();
  }

  #cancel(): void {
    this.#timer?.cancel[Symbol.dispose]();
    this.#timer = undefined;
  }
}
