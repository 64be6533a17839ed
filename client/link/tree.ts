import { BROKER_INTERFACE, ROOT_PATH } from '../../dbus/names.js';
import { Fields } from '../wire/fields.js';
import { managedFaces, type Face } from '../wire/objects.js';
import type { CallOptions, DaemonCall, Link } from './link.js';

/** How a call waits. */
export type Patience = Pick<DaemonCall, 'allowInteraction' | 'timeout'>;

/**
 * Every object of the broker but itself, as far as we may see them; with interaction allowed, a person may be asked.
 * @throws {DmabrokerError}
 */
export async function readTree(link: Link, patience: Patience = {}): Promise<readonly Face[]> {
  const where = { path: ROOT_PATH, interface: 'org.freedesktop.DBus.ObjectManager' };
  const reply = await link.call({ ...where, member: 'GetManagedObjects', ...patience }, { repeatable: true });
  return managedFaces(reply.body[0]);
}

/** The broker itself. @throws {DmabrokerError} */
export const readRoot = (link: Link, options: CallOptions = {}): Promise<Face> =>
  readFace(link, ROOT_PATH, BROKER_INTERFACE, options);

/** All properties of one object. @throws {DmabrokerError} */
export async function readFace(
  link: Link,
  path: string,
  name: string,
  options: CallOptions = {},
): Promise<Face> {
  const reply = await link.call(
    { path, interface: 'org.freedesktop.DBus.Properties', member: 'GetAll', signature: 's', body: [name] },
    { repeatable: true, ...options },
  );
  return { path, interface: name, fields: new Fields(reply.body[0], path) };
}
