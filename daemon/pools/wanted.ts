import { assortment, type Assortment } from './assortment.js';
import { askedSince, NO_DEMAND, noted, type Demand } from './demand.js';

/** Milliseconds for which a decision holds while nobody asks. */
const FRESH = 1000;

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

  /** @param budget bytes that may lie ready */
  assortment(budget: bigint, now: number): Assortment {
    const last = this.#decision;
    if (last?.demand === this.#demand && last.budget === budget && now - last.at < FRESH)
      return last.assortment;
    this.#demand = askedSince(this.#demand, now - this.idle);
    this.#decision = {
      demand: this.#demand,
      budget,
      at: now,
      assortment: assortment(this.#demand, budget, now),
    };
    return this.#decision.assortment;
  }
}
