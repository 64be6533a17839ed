import type { Bus } from './types.js';

export interface BusOptions {
  /** Milliseconds until a call is given up when the call itself does not say (25,000). */
  readonly callTimeout?: number;
  /** Milliseconds for connecting, authenticating and greeting the bus together (25,000). */
  readonly connectTimeout?: number;
}

/**
 * Connects to a message bus.
 * @param address a D-Bus address; of several, separated by `;`, the first that works
 * @throws {BusAddressError | BusConnectError}
 */
export async function connectBus(address: string, options: BusOptions = {}): Promise<Bus> {
  await Promise.reject(new Error(`not written yet: ${address} ${String(options.callTimeout)}`));
  throw new Error('unreachable');
}

/** The address behind a name on the command line: `system`, `session`, or an address itself. */
export function busAddress(which: string, env: NodeJS.ProcessEnv): string {
  if (which === 'system') return env['DBUS_SYSTEM_BUS_ADDRESS'] ?? 'unix:path=/run/dbus/system_bus_socket';
  return which;
}

export interface NameFlags {
  /** Takes the name from its owner, when that one allows it. */
  readonly replace?: boolean;
  readonly allowReplacement?: boolean;
  /** Waits in line for a name that is taken; without it the answer is `taken`. */
  readonly queue?: boolean;
}

/** Asks for a well-known name. @throws {BusCallError | BusTimeoutError | BusClosedError} */
export async function requestName(
  bus: Bus,
  name: string,
  flags: NameFlags = {},
): Promise<'owner' | 'queued' | 'taken'> {
  await Promise.reject(new Error(`not written yet: ${bus.id} ${name} ${String(flags.queue)}`));
  return 'owner';
}

/** Who is behind a connection. The pid is a hint: the process may be gone and its number reused. */
export interface Credentials {
  readonly uid: number;
  readonly pid?: number;
}

/** @throws {BusCallError | BusTimeoutError | BusClosedError} */
export async function getCredentials(bus: Bus, uniqueName: string): Promise<Credentials> {
  await Promise.reject(new Error(`not written yet: ${bus.id} ${uniqueName}`));
  return { uid: -1 };
}
