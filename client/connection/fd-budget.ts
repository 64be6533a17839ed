import { LIMITS } from '../../dbus/names.js';

/** dbus-daemon lets 64 fds wait for one connection; three full replies stay clear of that and leave room for others'. */
const MAX_FDS = 3 * LIMITS.buffersPerCall;

/** Keeps the fds that are on their way to us few enough for the bus; who comes first is served first. */
export class FdBudget {
  #free = MAX_FDS;
  readonly #waiting: { readonly fds: number; readonly enter: () => void }[] = [];

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
    if (this.#waiting.length > 0 || this.#free - fds < LIMITS.buffersPerCall) return undefined;
    this.#free -= fds;
    return this.#giver(fds);
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
    for (let next = this.#waiting[0]; next !== undefined && next.fds <= this.#free; next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#free -= next.fds;
      next.enter();
    }
  }
}
