import type { Sessions } from './types.js';

const NOBODY: Sessions = { isActive: () => false };

/** Passes the question on to whoever is there to answer it; until somebody is, nobody has a session. */
export class SessionDesk implements Sessions {
  #sessions = NOBODY;

  consult(sessions: Sessions): void {
    this.#sessions = sessions;
  }

  isActive(uid: number): boolean | Promise<boolean> {
    return this.#sessions.isActive(uid);
  }
}
