import type { IncomingCall, WireValue } from '../../dbus/connection/types.js';
import { ALLOCATION_PREFIX } from '../../dbus/names.js';
import { isList } from './wire-values.js';

/** What a call is about, by its own words: nobody has looked yet whether there is such a thing. */
export interface Subjects {
  readonly allocation?: string;
  readonly device?: readonly string[];
}

/** Devices that are named: who asks for more is found by these. */
const MOST = 8;

/** For the log, so that somebody finds there what was refused for a device or an allocation. */
export function subjectsOf({ signature, body: [first] }: IncomingCall): Subjects {
  if (first === undefined) return {};
  if (signature === 'o') return allocation(first);
  return signature === 'a(sa{sv})a{sv}' ? devices(first) : {};
}

const allocation = (path: WireValue): Subjects =>
  typeof path === 'string' && path.startsWith(ALLOCATION_PREFIX)
    ? { allocation: path.slice(ALLOCATION_PREFIX.length) }
    : {};

function devices(entries: WireValue): Subjects {
  if (!isList(entries)) return {};
  const named = entries.flatMap((entry) => (isList(entry) && typeof entry[0] === 'string' ? [entry[0]] : []));
  return named.length === 0 ? {} : { device: [...new Set(named)].slice(0, MOST) };
}
