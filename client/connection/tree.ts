import { BROKER_INTERFACE, ROOT_PATH } from '../../dbus/names.js';
import { Fields } from '../wire/fields.js';
import { managedFaces, type Face } from '../wire/objects.js';
import type { CallOptions, DaemonCall, DaemonConnection } from './daemon-connection.js';

/** How a call waits. */
export type WaitOptions = Pick<DaemonCall, 'allowInteraction' | 'timeout'>;

/**
 * Every object of the broker but itself, as far as we may see them; with interaction allowed, a person may be asked.
 * @throws {DmabrokerError}
 */
export async function readTree(
  connection: DaemonConnection,
  waiting: WaitOptions = {},
): Promise<readonly Face[]> {
  const where = { path: ROOT_PATH, interface: 'org.freedesktop.DBus.ObjectManager' };
  const reply = await connection.call(
    { ...where, member: 'GetManagedObjects', ...waiting },
    { repeatable: true },
  );
  return managedFaces(reply.body[0]);
}

/** The broker itself. @throws {DmabrokerError} */
export const readRoot = (connection: DaemonConnection, options: CallOptions = {}): Promise<Face> =>
  readFace(connection, ROOT_PATH, BROKER_INTERFACE, options);

/** All properties of one object. @throws {DmabrokerError} */
export async function readFace(
  connection: DaemonConnection,
  path: string,
  name: string,
  options: CallOptions = {},
): Promise<Face> {
  const reply = await connection.call(
    { path, interface: 'org.freedesktop.DBus.Properties', member: 'GetAll', signature: 's', body: [name] },
    { repeatable: true, ...options },
  );
  return { path, interface: name, fields: new Fields(reply.body[0], path) };
}
