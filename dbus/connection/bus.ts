import { parseAddress, type BusSocket } from './address.js';
import { BusConnectError } from './connect-errors.js';
import { ConnectedBus, type BusBehaviour } from './connected-bus.js';
import { dial } from './dial.js';
import { BusClosedError, type Bus } from './bus-types.js';

export { busAddress } from './address.js';
export { BusAddressError, BusConnectError } from './connect-errors.js';
export { callOwner, getCredentials, requestName } from './driver.js';
export type { Credentials, NameFlags, NameState } from './driver.js';

export interface BusOptions {
  /** Milliseconds until a call is given up when the call itself does not say (25,000). */
  readonly callTimeout?: number;
  /** Milliseconds for connecting, authenticating and greeting the bus together (25,000). */
  readonly connectTimeout?: number;
  /**
   * Told what must not reach the other side, for the log: what a handler threw, an answer that could not be written.
   * Without it, the process warns.
   */
  readonly onFault?: (error: unknown) => void;
}

/** The default of libdbus and sd-bus, in milliseconds. */
const DEFAULT_TIMEOUT_MS = 25_000;

/**
 * Connects to a message bus. An open connection keeps the process alive.
 * @param address a D-Bus address; of several, separated by `;`, the first that works
 * @throws {BusAddressError | BusConnectError}
 */
export async function connectBus(address: string, options: BusOptions = {}): Promise<Bus> {
  const { callTimeout = DEFAULT_TIMEOUT_MS, connectTimeout = DEFAULT_TIMEOUT_MS, onFault = warn } = options;
  const targets = parseAddress(address);
  const limit = new AbortController();
  const timer = setTimeout(() => {
    limit.abort(new BusClosedError(`no bus answered within ${connectTimeout} ms`, { reason: 'timeout' }));
  }, connectTimeout);
  const failures: unknown[] = [];
  try {
    for (const target of targets) {
      try {
        return await connectTo(target, limit.signal, { callTimeout, onFault });
      } catch (error) {
        failures.push(error);
      }
    }
  } finally {
    clearTimeout(timer);
  }
  throw new BusConnectError(`no message bus at ${address}: ${failures.map(reasonOf).join('; ')}`, {
    cause: failures.length === 1 ? failures[0] : new AggregateError(failures),
  });
}

async function connectTo(target: BusSocket, limit: AbortSignal, behaviour: BusBehaviour): Promise<Bus> {
  limit.throwIfAborted();
  const transport = await dial(target, limit);
  const giveUp = (): void => {
    transport.close(new BusClosedError('the bus did not greet us', { cause: limit.reason }));
  };
  limit.addEventListener('abort', giveUp);
  try {
    return await ConnectedBus.greet(transport, behaviour);
  } catch (error) {
    transport.close();
    throw error;
  } finally {
    limit.removeEventListener('abort', giveUp);
  }
}

/** The innermost message: what the kernel or the server said. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? reasonOf(error.cause) : error.message;
}

function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : String(error));
}
