import { assortment, type Assortment } from './assortment.js';
import { askedSince, NO_DEMAND, noted, type Demand } from './demand.js';

/** Milliseconds for which a decision holds while nobody asks, and for which it is near enough though somebody did. */
const FRESH = 1000;
const NEAR = 100;

interface Decision {
  readonly demand: Demand;
  readonly budget: bigint;
  readonly at: number;
  readonly assortment: Assortment;
}

/** What a pool should have ready, by what was asked of it. */
export class Wanted {
  /** Milliseconds after which a size that nobody asks for is forgotten. */
  idle = 0;
  #demand: Demand = NO_DEMAND;
  #decision: Decision | undefined;

  ask(size: bigint, count: number, now: number): void {
    this.#demand = noted(this.#demand, size, count, now);
  }

  /** When a size was asked last, in milliseconds of the broker's clock; undefined when it is forgotten. */
  lastAsked(size: bigint): number | undefined {
    return this.#demand.find((entry) => entry.size === size)?.asked;
  }

  /** What should be ready. @param budget bytes that may be */
  exactly(budget: bigint, now: number): Assortment {
    const last = this.#decision;
    if (last?.demand === this.#demand && last.budget === budget && now - last.at < FRESH)
      return last.assortment;
    this.#demand = askedSince(this.#demand, now - this.idle);
    const decided = assortment(this.#demand, budget, now);
    this.#decision = { demand: this.#demand, budget, at: now, assortment: decided };
    return decided;
  }

  /** About what should be ready: deciding anew with every request would cost more than serving it. */
  about(budget: bigint, now: number): Assortment {
    const last = this.#decision;
    return last !== undefined && now - last.at < NEAR ? last.assortment : this.exactly(budget, now);
  }
}
