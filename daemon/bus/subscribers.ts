import type { Viewer } from './visibility.js';

/** At most so many connections of one user get signals; one more takes the place of the oldest. */
const MAX_CONNECTIONS_PER_USER = 8;

/**
 * Connections that asked which objects there are (`GetManagedObjects`) and therefore want to know how that changes. What
 * only some may see is told to each of them by itself, because a broadcast would tell everybody.
 */
export class Subscribers {
  readonly #users = new Map<string, number>();
  readonly #byUser = new Map<number, Set<string>>();
  /** Those that see what belongs to others. */
  readonly #seeing = new Set<string>();

  add(name: string, { uid, seesOthers }: Pick<Viewer, 'uid' | 'seesOthers'>): void {
    const names = this.#byUser.get(uid) ?? new Set();
    this.#byUser.set(uid, names.add(name));
    this.#users.set(name, uid);
    if (seesOthers) this.#seeing.add(name);
    const [first] = names;
    if (names.size > MAX_CONNECTIONS_PER_USER && first !== undefined) this.remove(first);
  }

  remove(name: string): void {
    const uid = this.#users.get(name);
    if (uid === undefined) return;
    this.#users.delete(name);
    this.#seeing.delete(name);
    const names = this.#byUser.get(uid);
    names?.delete(name);
    if (names?.size === 0) this.#byUser.delete(uid);
  }

  /** Who may see what belongs to this user: its own connections, and those that see everybody's. */
  of(uid: number): ReadonlySet<string> {
    return new Set([...(this.#byUser.get(uid) ?? []), ...this.#seeing]);
  }
}
