import { both, type Change } from './change.js';
import type { Later } from '../../base/time.js';

/** Milliseconds that changes are gathered for: one device brings several, a node and a connector at a time. */
const DEBOUNCE_MS = 10;

/** Tells of changes that come close together at once, and of none later than the time of gathering. */
export class Debounce implements Disposable {
  readonly #later: Later;
  readonly #tell: (change: Change) => void;
  #pending: Change | undefined;
  #timer: Disposable | undefined;

  constructor(later: Later, tell: (change: Change) => void) {
    this.#later = later;
    this.#tell = tell;
  }

  add(change: Change): void {
    this.#pending = this.#pending === undefined ? change : both(this.#pending, change);
    this.#timer ??= this.#later(DEBOUNCE_MS, () => {
      this.#flush();
    });
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    this.#pending = undefined;
  }

  #flush(): void {
    const change = this.#pending;
    this.#timer = undefined;
    this.#pending = undefined;
    if (change !== undefined) this.#tell(change);
  }
}
