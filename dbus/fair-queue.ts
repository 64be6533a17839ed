interface Waiting<T> {
  readonly job: T;
  readonly bytes: number;
}

/** What one has waiting, the first first. */
interface SenderQueue<T> {
  readonly jobs: Waiting<T>[];
  bytes: number;
}

/**
 * Jobs that wait for their turn. Everybody who has some gets one done after the other, so that a thousand of one do not
 * make another wait for all of them; each one's own go in order. An owner whose next one is light goes before those whose
 * next one is heavy.
 */
export class FairQueue<T> {
  readonly #heavy: number;
  /** By whose they are, the next one's first: those whose first job is light, and those whose first is not. */
  readonly #light = new Map<string, SenderQueue<T>>();
  readonly #others = new Map<string, SenderQueue<T>>();
  /** Owners that get no turn for now. */
  readonly #held = new Map<string, SenderQueue<T>>();
  #bytes = 0;
  #heldBytes = 0;

  /** @param heavy bytes from which on a job is heavy; none is when absent */
  constructor(heavy = Infinity) {
    this.#heavy = heavy;
  }

  /** Memory that waits, of those who are held, too. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Memory that waits of those who have a turn. */
  get readyBytes(): number {
    return this.#bytes - this.#heldBytes;
  }

  /** No owner has a turn. */
  get empty(): boolean {
    return this.#light.size === 0 && this.#others.size === 0;
  }

  /** Some owner's next job is light. */
  get anyLight(): boolean {
    return this.#light.size > 0;
  }

  /** Memory that waits of one. */
  bytesOf(requester: string): number {
    return this.#lineOf(requester)?.bytes ?? 0;
  }

  /** @param bytes of memory that it holds while it waits */
  add(requester: string, job: T, bytes = 0): void {
    this.#bytes += bytes;
    if (this.#held.has(requester)) this.#heldBytes += bytes;
    const line = this.#lineOf(requester);
    if (line === undefined) this.#append(requester, { jobs: [{ job, bytes }], bytes });
    else {
      line.jobs.push({ job, bytes });
      line.bytes += bytes;
    }
  }

  /** Takes out the next job; whose it was goes to the end of the line. */
  next(): T | undefined {
    return this.#nextOf(this.#light) ?? this.nextHeavy();
  }

  /** Takes out the next heavy job, as if no light one waited. */
  nextHeavy(): T | undefined {
    return this.#nextOf(this.#others);
  }

  /** Gives one no turn until `release`. */
  hold(requester: string): void {
    const line = this.#lineOf(requester) ?? { jobs: [], bytes: 0 };
    this.#remove(requester);
    this.#held.set(requester, line);
    this.#heldBytes += line.bytes;
  }

  isHeld(requester: string): boolean {
    return this.#held.has(requester);
  }

  release(requester: string): void {
    const line = this.#held.get(requester);
    this.#heldBytes -= line?.bytes ?? 0;
    this.#held.delete(requester);
    if (line !== undefined && line.jobs.length > 0) this.#append(requester, line);
  }

  /** Takes out all that one has, who is held no more. */
  drop(requester: string): void {
    this.#bytes -= this.bytesOf(requester);
    this.#remove(requester);
  }

  clear(): void {
    this.#light.clear();
    this.#others.clear();
    this.#held.clear();
    this.#bytes = 0;
    this.#heldBytes = 0;
  }

  #lineOf(requester: string): SenderQueue<T> | undefined {
    return this.#light.get(requester) ?? this.#others.get(requester) ?? this.#held.get(requester);
  }

  #remove(requester: string): void {
    this.#heldBytes -= this.#held.get(requester)?.bytes ?? 0;
    for (const lines of [this.#light, this.#others, this.#held]) lines.delete(requester);
  }

  #append(requester: string, line: SenderQueue<T>): void {
    const isHeavy = (line.jobs[0]?.bytes ?? 0) >= this.#heavy;
    (isHeavy ? this.#others : this.#light).set(requester, line);
  }

  #nextOf(lines: Map<string, SenderQueue<T>>): T | undefined {
    for (const [requester, line] of lines) {
      lines.delete(requester);
      const first = line.jobs.shift();
      if (first === undefined) continue;
      line.bytes -= first.bytes;
      this.#bytes -= first.bytes;
      if (line.jobs.length > 0) this.#append(requester, line);
      return first.job;
    }
    return undefined;
  }
}
