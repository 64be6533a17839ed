/**
 * Whether requests that wait for their turn get anywhere. A timer of the event loop shows only that the loop turns; it
 * turns as well where each of its turns is used up by something else.
 */
export class Progress {
  readonly #queues = new Set<() => boolean>();
  #completed = 0;

  /** @param isWaiting whether anything in a queue could have its turn; dispose when the queue is gone */
  follow(isWaiting: () => boolean): Disposable {
    this.#queues.add(isWaiting);
    return {
      [Symbol.dispose]: () => {
        this.#queues.delete(isWaiting);
      },
    };
  }

  /** One of the requests was handled. */
  completed(): void {
    this.#completed += 1;
  }

  /** Whether nothing waits now, or something was completed since this was last asked. */
  look(): boolean {
    const hasCompleted = this.#completed > 0;
    this.#completed = 0;
    return hasCompleted || ![...this.#queues].some((isWaiting) => isWaiting());
  }
}
