import type { Logger } from 'pino';

import type { Bus } from '../../dbus/connection/types.js';
import type { Broker } from '../broker/types.js';

/** Which bus the daemon was told to use; polkit is asked on the system bus alone. */
export type BusKind = 'system' | 'session' | 'address';

export interface ServeOptions {
  /** Version of the daemon (`package.json`). */
  readonly version: string;
  readonly logger: Logger;
  /** Put before every path that is read (`--root`); empty for the machine itself. */
  readonly root: string;
  readonly busKind: BusKind;
}

export interface Server {
  /** Answers every further call with `Unavailable`, waits for those under way, and stops listening. */
  close(): Promise<void>;
}

/**
 * Puts the broker on the bus: from now on calls are answered, changes are announced, and a client that leaves is told
 * to the broker. Ask for the bus name after this.
 * @throws {BusCallError | BusTimeoutError | BusClosedError}
 */
export async function serve(bus: Bus, broker: Broker, options: ServeOptions): Promise<Server> {
  await Promise.reject(new Error(`not written yet: ${bus.id} ${String(broker)} ${options.version}`));
  throw new Error('unreachable');
}
