import type { Owner } from '../broker/broker-types.js';
import { isAdministrator, type Authority } from './authority.js';

/** Who looks at objects, as far as it counts for what is there. */
export interface Viewer {
  /** Unique name of the connection. */
  readonly name: string;
  readonly uid: number;
  /** Sees what belongs to other users as well. */
  readonly seesOthers: boolean;
}

/** Which connections may see the allocations of other users: an administrator's, and those that polkit let. */
export class Visibility {
  readonly #authority: Authority;
  /** Unique names; each until it leaves. */
  readonly #admitted = new Set<string>();

  constructor(authority: Authority) {
    this.#authority = authority;
  }

  of({ name, uid }: Owner): Viewer {
    return { name, uid, seesOthers: isAdministrator(uid) || this.#admitted.has(name) };
  }

  /**
   * Asks polkit on behalf of a caller that is ready to wait for a person; a no is not remembered.
   * @param isThere whether the connection is still there, asked when the answer has come
   */
  async ask(caller: Owner, isThere: (name: string) => boolean): Promise<void> {
    const allowed = await this.#authority.allows(caller, 'org.dmabroker1.see-others', true);
    if (allowed && isThere(caller.name)) this.#admitted.add(caller.name);
  }

  /** The connection has left. */
  forget(name: string): void {
    this.#admitted.delete(name);
  }
}
