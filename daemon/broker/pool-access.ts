import { ADMINISTRATOR_UID } from '../../dbus/names.js';
import type { Access } from '../policy/policy.js';
import type { Owner, Sessions } from './broker-types.js';

/** Who asks, as far as it counts for which pools are open. */
export interface Caller extends Pick<Owner, 'uid' | 'groups'> {
  /** Whether it has an active session: a person at the machine. */
  readonly hasActiveSession: boolean;
}

/** Whether one of the words lets the caller in; an administrator always is. */
export const isAllowed = (caller: Caller, access: readonly Access[]): boolean =>
  caller.uid === ADMINISTRATOR_UID || access.some((one) => matches(caller, one));

function matches({ groups, hasActiveSession }: Caller, one: Access): boolean {
  switch (one.kind) {
    case 'users':
      return true;
    case 'active-session':
      return hasActiveSession;
    case 'group':
      return groups.includes(one.name);
    case 'administrator':
      return false;
  }
}

/**
 * Finds out of an owner what decides whether it is let in. Its session is asked for only where that decides: the answer
 * comes from another process.
 */
export function callerOf(
  { uid, groups }: Owner,
  accessLists: readonly (readonly Access[])[],
  sessions: Sessions,
): Caller | Promise<Caller> {
  const without = { uid, groups, hasActiveSession: false };
  const within = { uid, groups, hasActiveSession: true };
  const decides = accessLists.some((access) => !isAllowed(without, access) && isAllowed(within, access));
  if (!decides) return without;
  const isActive = sessions.isActive(uid);
  if (typeof isActive === 'boolean') return isActive ? within : without;
  return isActive.then((active) => (active ? within : without));
}

const NO_SESSIONS: Sessions = { isActive: () => false };

/** Passes the question on to the current source of sessions; while there is none, no user has a session. */
export class SessionSource implements Sessions {
  #sessions = NO_SESSIONS;

  consult(sessions: Sessions): void {
    this.#sessions = sessions;
  }

  isActive(uid: number): boolean | Promise<boolean> {
    return this.#sessions.isActive(uid);
  }
}
