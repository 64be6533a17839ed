import { BrokerError } from '../../dbus/errors.js';
import type { Owner } from '../broker/broker-types.js';
import { ADMINISTRATOR_UID } from '../../dbus/names.js';

/** What an administrator may do, by the names of the polkit actions (`dbus/org.dmabroker1.policy`). */
export type Action =
  | 'org.dmabroker1.reload'
  | 'org.dmabroker1.manage-pools'
  | 'org.dmabroker1.reveal'
  | 'org.dmabroker1.see-others'
  | 'org.dmabroker1.release-others';
export const isAdministrator = (uid: number): boolean => uid === ADMINISTRATOR_UID;

/** Decides for users that are not administrators. */
export interface Authority {
  /** @param interactive a person may be asked for a password, which takes as long as it takes */
  allows(caller: Owner, action: Action, interactive: boolean): Promise<boolean>;
}

/** Where there is no other authority. */
export const NO_AUTHORITY: Authority = { allows: async () => Promise.resolve(false) };

/** @throws {BrokerError} AccessDenied */
export async function requireAccess(
  authority: Authority,
  caller: Owner,
  action: Action,
  interactive: boolean,
): Promise<void> {
  if (isAdministrator(caller.uid) || (await authority.allows(caller, action, interactive))) return;
  throw new BrokerError(
    'AccessDenied',
    `this needs an administrator, or polkit's authorization for ${action}`,
  );
}
