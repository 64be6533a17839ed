import type { WireValue } from '../../dbus/connection/types.js';
import type { Owner } from '../broker/types.js';
import { bind, type Binding, type Invocation } from './binding.js';
import { BROKER } from './contract.js';
import { StandardError } from './failure.js';
import { machineId } from './machine-id.js';
import type { BusObject, ObjectTree } from './objects.js';
import { allProperties, interfacesOf, property } from './properties.js';
import { quote } from '../../dbus/quote.js';
import { INTROSPECTABLE, OBJECT_MANAGER, PEER, PROPERTIES, STANDARD_ERRORS } from './standard-interfaces.js';

/** @param root put before `/etc` */
export const peerBinding = (root: string): Binding =>
  bind(PEER, { Ping: () => [], GetMachineId: async () => [await machineId(root)] });

/** @param listed told of whoever learns which objects there are, before they are looked up */
export const objectManagerBinding = (objects: ObjectTree, listed: (caller: Owner) => void): Binding =>
  bind(OBJECT_MANAGER, {
    GetManagedObjects: ({ caller }) => {
      listed(caller);
      return [objects.visible(caller.uid).map((object) => [object.path, interfacesOf(object)])];
    },
  });

/** Interfaces besides its own that an object has; none of them has properties. */
const bareInterfaces = ({ table }: BusObject): readonly string[] =>
  [PEER, INTROSPECTABLE, PROPERTIES, ...(table === BROKER ? [OBJECT_MANAGER] : [])].map(({ name }) => name);

export function propertiesBinding(objects: ObjectTree): Binding {
  /** The object, with whether the interface asked for is its own: an empty name means whichever has the property. */
  const lookUp = ({ caller, call }: Invocation): { readonly object: BusObject; readonly own: boolean } => {
    const object = objects.find(call.path, caller.uid);
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
