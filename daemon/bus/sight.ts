import type { Owner } from '../broker/types.js';
import { isAdministrator, type Authority } from './access.js';

/** Who looks at objects, as far as it counts for what is there. */
export interface Viewer {
  readonly uid: number;
  /** Sees what belongs to other users as well. */
  readonly seesOthers: boolean;
}

/** Which connections may see the allocations of other users: an administrator's, and those that polkit let. */
export class Sight {
  readonly #authority: Authority;
  /** Unique names; each until it leaves. */
  readonly #let = new Set<string>();

  constructor(authority: Authority) {
    this.#authority = authority;
  }

  of({ name, uid }: Owner): Viewer {
    return { uid, seesOthers: isAdministrator(uid) || this.#let.has(name) };
  }

  /**
   * Asks polkit for somebody who is ready to wait for a person; a no is not remembered.
   * @param isThere whether the connection is still there, asked when the answer has come
   */
  async ask(caller: Owner, isThere: (name: string) => boolean): Promise<void> {
    const allowed = await this.#authority.allows(caller, 'org.dmabroker1.see-others', true);
    if (allowed && isThere(caller.name)) this.#let.add(caller.name);
  }

  /** The connection has left. */
  forget(name: string): void {
    this.#let.delete(name);
  }
}
