import { both, type Change } from './change.js';

/** Runs something after so many milliseconds; disposing takes that back. */
export type Later = (milliseconds: number, run: () => void) => Disposable;

/** Milliseconds that changes are gathered for: one device brings several, a node and a connector at a time. */
const GATHERING = 10;

/** Tells of changes that come close together at once, and of none later than the time of gathering. */
export class Gather implements Disposable {
  readonly #later: Later;
  readonly #tell: (change: Change) => void;
  #gathered: Change | undefined;
  #timer: Disposable | undefined;

  constructor(later: Later, tell: (change: Change) => void) {
    this.#later = later;
    this.#tell = tell;
  }

  add(change: Change): void {
    this.#gathered = this.#gathered === undefined ? change : both(this.#gathered, change);
    this.#timer ??= this.#later(GATHERING, () => {
      this.#told();
    });
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    this.#gathered = undefined;
  }

  #told(): void {
    const change = this.#gathered;
    this.#timer = undefined;
    this.#gathered = undefined;
    if (change !== undefined) this.#tell(change);
  }
}
