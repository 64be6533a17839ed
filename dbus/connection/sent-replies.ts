/**
 * Replies that were sent, so that their sender can be told when the bus sends an error back for one. A bus reports
 * nothing about those that arrive, and deals with messages in order: only the latest are remembered.
 */
export class SentReplies {
  readonly #capacity: number;
  readonly #undelivered = new Map<number, () => void>();

  constructor(capacity = 1024) {
    this.#capacity = capacity;
  }

  /** @param serial of the reply */
  add(serial: number, undelivered: () => void): void {
    this.#undelivered.set(serial, undelivered);
    if (this.#undelivered.size <= this.#capacity) return;
    const [oldest] = this.#undelivered.keys();
    if (oldest !== undefined) this.#undelivered.delete(oldest);
  }

  /** What to call when the bus refused that reply. */
  take(serial: number): (() => void) | undefined {
    const undelivered = this.#undelivered.get(serial);
    this.#undelivered.delete(serial);
    return undelivered;
  }
}
