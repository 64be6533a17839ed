import { ALLOCATION_INTERFACE } from '../../dbus/names.js';
import type { Link } from './link.js';
import { readTree } from './tree.js';

/** Which allocations the broker has for us, checked again whenever another daemon takes over. */
export class Holdings<Held> {
  readonly #link: Link;
  readonly #held = new Map<string, Held>();
  readonly #lost: (held: Held) => void;
  #ended = false;

  /** @param lost is called for each that a new daemon does not know */
  constructor(link: Link, lost: (held: Held) => void) {
    this.#link = link;
    this.#lost = lost;
    link.onOwner((owner) => {
      // A daemon that cannot say is followed by another or by the end of the connection, and both are noticed.
      if (owner !== undefined && this.#held.size > 0) void this.#check().catch(() => undefined);
    });
    void link.bus.closed.then(() => {
      this.#ended = true;
    });
  }

  has(path: string): boolean {
    return !this.#ended && this.#held.has(path);
  }

  add(path: string, held: Held): void {
    this.#held.set(path, held);
  }

  delete(path: string): void {
    this.#held.delete(path);
  }

  async #check(): Promise<void> {
    const before = [...this.#held];
    const known = new Set(
      (await readTree(this.#link))
        .filter(({ interface: name }) => name === ALLOCATION_INTERFACE)
        .filter(({ fields }) => fields.string('Owner') === this.#link.bus.uniqueName)
        .map(({ path }) => path),
    );
    for (const [path, held] of before) {
      if (known.has(path) || this.#held.get(path) !== held) continue;
      this.#held.delete(path);
      this.#lost(held);
    }
  }
}
