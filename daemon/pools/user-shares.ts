import { ADMINISTRATOR_UID } from '../../dbus/names.js';

/** What each user holds of a pool, and whether that leaves room to others. */
export class UserShares {
  /** Hundredths of the pool's limit that one user may hold. */
  share = 100;
  readonly #limit: () => bigint;
  readonly #held = new Map<number, bigint>();

  /** @param limit of the pool; bytes */
  constructor(limit: () => bigint) {
    this.#limit = limit;
  }

  /** Bytes that one user may hold. */
  get most(): bigint {
    return (this.#limit() * BigInt(this.share)) / 100n;
  }

  heldBy(uid: number): bigint {
    return this.#held.get(uid) ?? 0n;
  }

  /** @param uid of the user; absent for what no user asked for */
  allows(uid: number | undefined, bytes: bigint): boolean {
    if (uid === undefined || uid === ADMINISTRATOR_UID) return true;
    return this.heldBy(uid) + bytes <= this.most;
  }

  /** @param bytes negative when they are given back */
  add(uid: number | undefined, bytes: bigint): void {
    if (uid === undefined) return;
    const held = this.heldBy(uid) + bytes;
    if (held === 0n) this.#held.delete(uid);
    else this.#held.set(uid, held);
  }

  /** Counts so much while something is done. */
  async during<T>(uid: number | undefined, bytes: bigint, work: () => Promise<T>): Promise<T> {
    this.add(uid, bytes);
    try {
      return await work();
    } finally {
      this.add(uid, -bytes);
    }
  }
}
