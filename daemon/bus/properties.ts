import { isDeepStrictEqual } from 'node:util';

import type { WireDict, WireValue, WireVariant } from '../../dbus/connection/bus-types.js';
import type { InterfaceTable } from './contract.js';
import { variant, type DictEntry } from './wire-out.js';
import type { Values } from './views.js';

/** One property as a variant; undefined when the interface has none of that name. */
export function property(table: InterfaceTable, values: Values, name: string): WireVariant | undefined {
  const type = Object.hasOwn(table.properties, name) ? table.properties[name]?.type : undefined;
  const value = values[name];
  return type === undefined || value === undefined ? undefined : variant(type, value);
}

/** All properties of an interface: `a{sv}`. */
export const allProperties = (table: InterfaceTable, values: Values): WireDict =>
  Object.entries(table.properties).map(([name, { type }]): DictEntry => [
    name,
    variant(type, valueOf(values, name)),
  ]);

/** Properties that are not what they were: `a{sv}`. */
export const changedProperties = (table: InterfaceTable, before: Values, now: Values): WireDict =>
  Object.entries(table.properties)
    .filter(([name, { changes }]) => changes !== 'const' && !isDeepStrictEqual(before[name], now[name]))
    .map(([name, { type }]): DictEntry => [name, variant(type, valueOf(now, name))]);

/** An object's interfaces with their properties: `a{sa{sv}}`. */
export const interfacesOf = (table: InterfaceTable, values: Values): WireDict => [
  [table.name, allProperties(table, values)],
];

function valueOf(values: Values, name: string): WireValue {
  const value = values[name];
  if (value === undefined) throw new Error(`the property ${name} has no value`);
  return value;
}
