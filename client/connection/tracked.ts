import { ALLOCATION_INTERFACE } from '../../dbus/names.js';
import type { DaemonConnection } from './daemon-connection.js';
import { readTree } from './tree.js';

/** Which allocations the broker has for us, checked again whenever another daemon takes over. */
export class TrackedAllocations<Held> {
  readonly #connection: DaemonConnection;
  readonly #held = new Map<string, Held>();
  readonly #lost: (held: Held) => void;
  #ended = false;

  /** @param lost is called for each that a new daemon does not know */
  constructor(connection: DaemonConnection, lost: (held: Held) => void) {
    this.#connection = connection;
    this.#lost = lost;
    connection.onOwner((owner) => {
      // A daemon that cannot say is followed by another or by the end of the connection, and both are noticed.
      if (owner !== undefined && this.#held.size > 0) void this.#check().catch(() => undefined);
    });
    void connection.bus.closed.then(() => {
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
      (await readTree(this.#connection))
        .filter(({ interface: name }) => name === ALLOCATION_INTERFACE)
        .filter(({ fields }) => fields.string('Owner') === this.#connection.bus.uniqueName)
        .map(({ path }) => path),
    );
    for (const [path, held] of before) {
      if (known.has(path) || this.#held.get(path) !== held) continue;
      this.#held.delete(path);
      this.#lost(held);
    }
  }
}
