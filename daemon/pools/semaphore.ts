import { FairQueue } from '../../dbus/fair-queue.js';

/**
 * Lets so many jobs run at once; the others wait their turn. An owner with waiting jobs gets a turn after every other
 * who has, so that one who asks for a thousand does not make another wait for all of them; each one's own go in order.
 */
export class Semaphore {
  readonly #width: number;
  readonly #changed: (isBusy: boolean) => void;
  #free: number;
  readonly #waiting = new FairQueue<() => void>();

  /** @param changed told when a job begins while none runs, and when none is left */
  constructor(width: number, changed: (isBusy: boolean) => void = () => undefined) {
    this.#width = width;
    this.#changed = changed;
    this.#free = width;
  }

  /** @param requester jobs of one name share a queue */
  async run<T>(job: () => Promise<T>, requester = ''): Promise<T> {
    if (this.#free > 0) this.#enter();
    else await this.#fairTurn(requester);
    try {
      return await job();
    } finally {
      // The place goes straight to the next in line, so that a newcomer cannot slip in before it.
      const next = this.#waiting.next();
      if (next === undefined) this.#leave();
      else next();
    }
  }

  #enter(): void {
    if (this.#free === this.#width) this.#changed(true);
    this.#free -= 1;
  }

  #leave(): void {
    this.#free += 1;
    if (this.#free === this.#width) this.#changed(false);
  }

  #fairTurn(requester: string): Promise<void> {
    return new Promise((enter) => {
      this.#waiting.add(requester, enter);
    });
  }
}
