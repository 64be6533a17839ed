import type { UnixAddress } from '../native/unix-socket.js';
import { BusAddressError } from './connect-errors.js';

/** A unix socket that a bus may listen on. */
export interface BusSocket extends UnixAddress {
  /** Id that the server must have, when the address says. 32 hex digits. */
  readonly guid?: string;
}

/** Bytes of `sun_path`, less the NUL that ends a path or starts an abstract name (unix(7)). */
const MAX_NAME_BYTES = 107;

/**
 * The sockets of a D-Bus address, in its order; transports that need more than a unix socket are left out.
 * @throws {BusAddressError} when the address is not well-formed, or nothing is left
 */
export function parseAddress(address: string): readonly BusSocket[] {
  const sockets = address
    .split(';')
    .filter((entry) => entry !== '')
    .flatMap(parseEntry);
  if (sockets.length === 0)
    throw new BusAddressError(`the bus address '${address}' has no unix:path= and no unix:abstract=`);
  return sockets;
}

/**
 * The address behind what a person wrote: `system`, `session`, or an address, which is returned as it is.
 * @throws {BusAddressError} when the environment does not say where the session bus is
 */
export function busAddress(which: string, env: NodeJS.ProcessEnv): string {
  if (which === 'system')
    return set(env['DBUS_SYSTEM_BUS_ADDRESS']) ?? 'unix:path=/run/dbus/system_bus_socket';
  if (which !== 'session') return which;
  const address = set(env['DBUS_SESSION_BUS_ADDRESS']);
  if (address !== undefined) return address;
  const runtime = set(env['XDG_RUNTIME_DIR']);
  if (runtime === undefined)
    throw new BusAddressError('no session bus: set DBUS_SESSION_BUS_ADDRESS or XDG_RUNTIME_DIR');
  return `unix:path=${escapeValue(`${runtime}/bus`)}`;
}

/** Writes a value of an address so that any byte may stand in it. */
export function escapeValue(value: string): string {
  return [...Buffer.from(value)]
    .map((byte) => String.fromCharCode(byte))
    .map((char) => (OPTIONALLY_ESCAPED.test(char) ? char : percent(char)))
    .join('');
}

const OPTIONALLY_ESCAPED = /[-0-9A-Za-z_/.*]/;

const percent = (char: string): string => `%${char.charCodeAt(0).toString(16).padStart(2, '0')}`;

/** An empty variable is as good as none. */
const set = (value: string | undefined): string | undefined => (value === '' ? undefined : value);

function parseEntry(entry: string): readonly BusSocket[] {
  const [, transport, rest] = /^([^:]+):(.*)$/s.exec(entry) ?? [];
  if (transport === undefined || rest === undefined)
    throw new BusAddressError(`'${entry}' is no bus address: write TRANSPORT:KEY=VALUE`);
  const values = parseValues(entry, rest);
  const [path, abstract, guid] = [values.get('path'), values.get('abstract'), values.get('guid')];
  if (path !== undefined && abstract !== undefined)
    throw new BusAddressError(`'${entry}' names both a path and an abstract socket`);
  const name = path ?? abstract;
  if (transport !== 'unix' || name === undefined) return [];
  if (name.length === 0 || name.length > MAX_NAME_BYTES)
    throw new BusAddressError(`the socket of '${entry}' must have 1 to ${MAX_NAME_BYTES} bytes`);
  const kind = path === undefined ? 'abstract' : 'path';
  return [{ kind, name, ...(guid !== undefined && { guid: guid.toString('latin1').toLowerCase() }) }];
}

function parseValues(entry: string, text: string): ReadonlyMap<string, Buffer> {
  const values = new Map<string, Buffer>();
  for (const pair of text.split(',').filter((part) => part !== '')) {
    const [, key, value] = /^([^=]+)=(.*)$/s.exec(pair) ?? [];
    if (key === undefined || value === undefined || values.has(key))
      throw new BusAddressError(`'${pair}' in '${entry}' is not one KEY=VALUE`);
    values.set(key, unescapeValue(entry, value));
  }
  return values;
}

function unescapeValue(entry: string, value: string): Buffer {
  if (/%(?![0-9A-Fa-f]{2})/.test(value))
    throw new BusAddressError(`'${entry}' has a % that two hex digits do not follow`);
  const parts = value.split(/(%[0-9A-Fa-f]{2})/);
  return Buffer.concat(
    parts.map((part) => (part.startsWith('%') ? Buffer.from(part.slice(1), 'hex') : Buffer.from(part))),
  );
}
