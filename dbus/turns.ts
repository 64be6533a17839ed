interface Waiting<T> {
  readonly job: T;
  readonly bytes: number;
}

/**
 * Jobs that wait for their turn. Everybody who has some gets one done after the other, so that a thousand of one do not
 * make another wait for all of them; each one's own go in order.
 */
export class Turns<T> {
  /** By whose they are, the next one's first. */
  readonly #queues = new Map<string, Waiting<T>[]>();
  #bytes = 0;

  /** Memory that waits. */
  get bytes(): number {
    return this.#bytes;
  }

  get empty(): boolean {
    return this.#queues.size === 0;
  }

  /** @param bytes of memory that it holds while it waits */
  add(whose: string, job: T, bytes = 0): void {
    const waiting = { job, bytes };
    this.#bytes += bytes;
    const queue = this.#queues.get(whose);
    if (queue === undefined) this.#queues.set(whose, [waiting]);
    else queue.push(waiting);
  }

  /** Takes out the next job; whose it was goes to the end of the line. */
  next(): T | undefined {
    for (const [whose, queue] of this.#queues) {
      const first = queue.shift();
      this.#queues.delete(whose);
      if (queue.length > 0) this.#queues.set(whose, queue);
      if (first === undefined) continue;
      this.#bytes -= first.bytes;
      return first.job;
    }
    return undefined;
  }

  /** Takes out all that one has. */
  drop(whose: string): void {
    for (const { bytes } of this.#queues.get(whose) ?? []) this.#bytes -= bytes;
    this.#queues.delete(whose);
  }

  clear(): void {
    this.#queues.clear();
    this.#bytes = 0;
  }
}
