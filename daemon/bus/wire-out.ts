import type { WireDict, WireValue, WireVariant } from '../../dbus/connection/bus-types.js';

/** Makers of the values that replies and properties hold. */

export const variant = (signature: string, value: WireValue): WireVariant => ({ signature, value });

/** One key of an `a{sv}`. */
export type DictEntry = readonly [string, WireVariant];

export const entry = (key: string, signature: string, value: WireValue): DictEntry => [
  key,
  variant(signature, value),
];

/** An `a{sv}`, or any other dictionary, of entries in order. */
export const dict = (...entries: readonly DictEntry[]): WireDict => entries;
