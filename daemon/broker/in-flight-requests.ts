import type { Owner } from './broker-types.js';

/** An allocation that is being made. */
export interface InFlightRequest extends Disposable {
  /** Whether its owner left the bus meanwhile, so that no connection is left to release what it makes. */
  readonly ownerGone: boolean;
}

/** Which owners have an allocation under way. */
export class InFlightRequests {
  readonly #byOwner = new Map<string, Set<{ ownerGone: boolean }>>();

  /** Dispose it when the allocation is recorded, or has failed. */
  begin(owner: Owner): InFlightRequest {
    const key = keyOf(owner.bus, owner.name);
    const attempts = this.#byOwner.get(key) ?? new Set();
    this.#byOwner.set(key, attempts);
    const attempt = {
      ownerGone: false,
      [Symbol.dispose]: () => {
        if (attempts.delete(attempt) && attempts.size === 0) this.#byOwner.delete(key);
      },
    };
    attempts.add(attempt);
    return attempt;
  }

  ownerLeft(bus: string, name: string): void {
    for (const attempt of this.#byOwner.get(keyOf(bus, name)) ?? []) attempt.ownerGone = true;
  }
}

const keyOf = (bus: string, name: string): string => `${bus} ${name}`;
