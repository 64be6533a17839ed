import type { Later } from '../base/time.js';

export interface PollerOptions<Item> {
  readonly later: Later;
  /** Looks at some of a round, from its end, and takes them away; `again` keeps one for the next. */
  readonly look: (round: Item[]) => void;
  /** Milliseconds until more of a round is looked at. */
  readonly slicePauseMs: () => number;
  /** Milliseconds until the next round. @param rounds that ended since the last `begin` */
  readonly between: (rounds: number) => number;
}

/** Looks at everything it has, one round after the other, and sets no timer while it has nothing. */
export class Poller<Item> {
  readonly #options: PollerOptions<Item>;
  /** Still to be looked at in this round. */
  #round: Item[] = [];
  #next: Item[] = [];
  #rounds = 0;
  #timer: { readonly pause: number; readonly cancel: Disposable } | undefined;

  constructor(options: PollerOptions<Item>) {
    this.#options = options;
  }

  /** Counts the rounds anew. */
  begin(): void {
    this.#rounds = 0;
  }

  /** Has these looked at in this round. */
  add(items: readonly Item[]): void {
    for (const item of items) this.#round.push(item);
    this.#arm();
  }

  /** Has this one looked at in the next round. */
  again(item: Item): void {
    this.#next.push(item);
    this.#arm();
  }

  /** Returns those that match, and looks at them no more. */
  remove(belongs: (item: Item) => boolean): Item[] {
    const removed = [...this.#round, ...this.#next].filter(belongs);
    this.#round = this.#round.filter((item) => !belongs(item));
    this.#next = this.#next.filter((item) => !belongs(item));
    this.#arm();
    return removed;
  }

  /** Looks no more. */
  close(): void {
    this.#timer?.cancel[Symbol.dispose]();
    this.#timer = undefined;
  }

  #tick(): void {
    this.#timer = undefined;
    if (this.#round.length === 0) {
      this.#rounds += 1;
      [this.#round, this.#next] = [this.#next, this.#round];
    }
    this.#options.look(this.#round);
    this.#arm();
  }

  /** Sets the timer for the next slice or round; one that fires sooner stays, or a stream of leavers would hold it up. */
  #arm(): void {
    if (this.#round.length + this.#next.length === 0) {
      this.close();
      return;
    }
    const { later, slicePauseMs, between } = this.#options;
    const pause = this.#round.length > 0 ? slicePauseMs() : between(this.#rounds);
    if (this.#timer !== undefined && this.#timer.pause <= pause) return;
    this.close();
    const cancel = later(pause, () => {
      this.#tick();
    });
    this.#timer = { pause, cancel };
  }
}
