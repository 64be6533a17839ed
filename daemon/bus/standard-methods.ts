import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { WireValue } from '../../dbus/connection/bus-types.js';
import { quote } from '../../dbus/quote.js';
import { BrokerError } from '../../dbus/errors.js';
import { ROOT_PATH } from '../../dbus/names.js';
import type { Owner } from '../broker/broker-types.js';
import { bind, type Binding, type Invocation, type Results } from './binding.js';
import { StandardError } from './error-reply.js';
import { listingOf, type Listings } from './listing.js';
import type { BusObject, ObjectTree } from './objects.js';
import { allProperties, property } from './properties.js';
import type { Viewer } from './visibility.js';
import { INTROSPECTABLE, OBJECT_MANAGER, PEER, PROPERTIES, STANDARD_ERRORS } from './standard-interfaces.js';

/** @param root put before `/etc` */
export const peerBinding = (root: string): Binding =>
  bind(PEER, { Ping: () => [], GetMachineId: machineIdOf(root) });

/** What happens when a connection lists the objects. */
export interface Listing {
  /** What the caller can see after polkit, and so perhaps a person, was asked for more. */
  readonly widened: (caller: Owner) => Promise<Viewer>;
  /** Told which connection learns it, in the turn of the loop in which the objects are looked up. */
  readonly listed: (caller: Owner, viewer: Viewer) => void;
  readonly listings: Listings;
}

export function objectManagerBinding(objects: ObjectTree, { widened, listed, listings }: Listing): Binding {
  const listNow = (caller: Owner, viewer: Viewer, visible = objects.visible(viewer)): Results => {
    listed(caller, viewer);
    return [listingOf(visible)];
  };
  const list = (caller: Owner, viewer: Viewer): Results | Promise<Results> => {
    const visible = objects.visible(viewer);
    if (listings.isReady(visible)) return listNow(caller, viewer, visible);
    return listings.ready(() => objects.visible(viewer)).then(() => listNow(caller, viewer));
  };
  return bind(OBJECT_MANAGER, {
    // A caller that does not allow interaction, as almost none does, never waits for another process. Polkit is asked
    // over the bus alone.
    GetManagedObjects: ({ caller, viewer, call }) =>
      call.allowsInteraction && !call.overChannel && !viewer.seesOthers
        ? widened(caller).then((wider) => list(caller, wider))
        : list(caller, viewer),
  });
}

/** Interfaces besides its own that an object has; none of them has properties. */
const bareInterfaces = ({ path }: BusObject): readonly string[] =>
  [PEER, INTROSPECTABLE, PROPERTIES, ...(path === ROOT_PATH ? [OBJECT_MANAGER] : [])].map(({ name }) => name);

export function propertiesBinding(objects: ObjectTree): Binding {
  /** The object, with whether the interface asked for is its own: an empty name means whichever has the property. */
  const lookUp = ({ viewer, call }: Invocation): { readonly object: BusObject; readonly own: boolean } => {
    const object = objects.find(call.path, viewer);
    if (object === undefined)
      throw new StandardError(STANDARD_ERRORS.unknownObject, 'there is no such object');
    const name = string(call.body[0]);
    const own = name === '' || name === object.table.name;
    if (!own && !bareInterfaces(object).includes(name))
      throw new StandardError(STANDARD_ERRORS.unknownInterface, `there is no interface ${quote(name)} here`);
    return { object, own };
  };
  const find = (invocation: Invocation): WireValue => {
    const { object, own } = lookUp(invocation);
    const name = string(invocation.call.body[1]);
    const value = own ? property(object.table, object.values(), name) : undefined;
    if (value === undefined)
      throw new StandardError(STANDARD_ERRORS.unknownProperty, `there is no property ${quote(name)} here`);
    return value;
  };
  return bind(PROPERTIES, {
    Get: (invocation) => [find(invocation)],
    GetAll: (invocation) => {
      const { object, own } = lookUp(invocation);
      return [own ? allProperties(object.table, object.values()) : []];
    },
    Set: (invocation) => {
      find(invocation);
      throw new StandardError(STANDARD_ERRORS.propertyReadOnly, 'every property here is read-only');
    },
  });
}

const string = (value: WireValue | undefined): string => (typeof value === 'string' ? value : '');

/** Reads the id once, however many ask; again after a failure. */
function machineIdOf(root: string): () => Results | Promise<Results> {
  let known: Results | undefined;
  let reading: Promise<Results> | undefined;
  return () =>
    known ??
    (reading ??= machineId(root)
      .then((id) => (known = [id]))
      .finally(() => (reading = undefined)));
}

/**
 * The machine's id (machine-id(5)), 32 hexadecimal digits.
 * @param root put before `/etc`
 * @throws {BrokerError} Unavailable where there is none, as in an image that was never started
 */
async function machineId(root: string): Promise<string> {
  try {
    const id = (await readFile(join(root, '/etc/machine-id'), 'utf8')).trim();
    if (/^[0-9a-f]{32}$/.test(id)) return id;
  } catch (cause) {
    throw new BrokerError('Unavailable', 'this machine has no readable machine id', { cause });
  }
  throw new BrokerError('Unavailable', 'this machine has no valid machine id');
}
