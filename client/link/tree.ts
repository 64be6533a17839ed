import { BROKER_INTERFACE, ROOT_PATH } from '../../dbus/names.js';
import { Fields } from '../wire/fields.js';
import { managedFaces, type Face } from '../wire/objects.js';
import type { CallOptions, Link } from './link.js';

/** Every object of the broker but itself, as far as we may see them. @throws {DmabrokerError} */
export async function readTree(link: Link): Promise<readonly Face[]> {
  const reply = await link.call(
    { path: ROOT_PATH, interface: 'org.freedesktop.DBus.ObjectManager', member: 'GetManagedObjects' },
    { repeatable: true },
  );
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
