import { LIMITS } from '../../dbus/names.js';

/** dbus-daemon lets 64 fds wait for one connection; three full replies stay clear of that and leave room for others'. */
const MAX_FDS = 3 * LIMITS.buffersPerCall;

interface Waiting {
  readonly fds: number;
  readonly enter: () => void;
}

/** Keeps the fds that are on their way to us few enough for the bus; who comes first is served first. */
export class FdBudget {
  #free = MAX_FDS;
  readonly #waiting: Waiting[] = [];
  /** Those that leave a full reply for others. */
  readonly #patient: Waiting[] = [];

  /** Waits until so many fds may be asked for. The returned function gives them back, once. */
  async take(fds: number): Promise<() => void> {
    await new Promise<void>((enter) => {
      this.#waiting.push({ fds, enter });
      this.#admit();
    });
    return this.#giver(fds);
  }

  /**
   * The same at once, for a call whose reply may be long in coming.
   * @returns undefined where others could not have a full reply meanwhile
   */
  takeSpare(fds: number): (() => void) | undefined {
    if (this.#patient.length > 0 || !this.#isSpare(fds)) return undefined;
    this.#free -= fds;
    return this.#giver(fds);
  }

  /** As `take`, but waits until others can have a full reply meanwhile. */
  async spare(fds: number): Promise<() => void> {
    await new Promise<void>((enter) => {
      this.#patient.push({ fds, enter });
      this.#admit();
    });
    return this.#giver(fds);
  }

  #isSpare(fds: number): boolean {
    return this.#waiting.length === 0 && this.#free - fds >= LIMITS.buffersPerCall;
  }

  #giver(fds: number): () => void {
    let held = fds;
    return () => {
      this.#free += held;
      held = 0;
      this.#admit();
    };
  }

  #admit(): void {
    this.#enter(this.#waiting, (fds) => fds <= this.#free);
    this.#enter(this.#patient, (fds) => this.#isSpare(fds));
  }

  #enter(line: Waiting[], fits: (fds: number) => boolean): void {
    for (let next = line[0]; next !== undefined && fits(next.fds); next = line[0]) {
      line.shift();
      this.#free -= next.fds;
      next.enter();
    }
  }
}
