import { busAddress, connectBus } from '../dbus/connection/bus.js';
import { Broker } from './broker.js';
import { milliseconds, record, text } from './check.js';
import { DmabrokerError } from './errors.js';

export interface ConnectOptions {
  /** `system` (the default), `session`, or a D-Bus address. */
  readonly bus?: string;
  /** Milliseconds for connecting and for every call, waiting for a restarting daemon included: at most 2³¹ − 1 (25,000). */
  readonly timeout?: number;
}

/** D-Bus's own default. */
const DEFAULT_TIMEOUT_MS = 25_000;

/**
 * Connects to the broker; the bus starts its daemon where it can.
 *
 * @throws {DmabrokerError} NoBus, NoDaemon
 *
 * @example
 * ```ts
 * import { connect } from 'dmabroker';
 *
 * await using broker = await connect({ timeout: 5_000 });
 * await using allocation = await broker.allocate(
 *   [{ device: 'cpu', uses: ['read', 'write'] }],
 *   { width: 1920, height: 1080, format: 'XR24', count: 3 },
 * );
 * const { planes, size } = allocation.layout;
 * console.log(allocation.buffers.length, planes[0]?.pitch, size); // 3 7680 8294400n
 * ```
 */
export async function connect(options: ConnectOptions = {}): Promise<Broker> {
  const { timeout = DEFAULT_TIMEOUT_MS, bus = 'system' } = record(options, 'options', ['bus', 'timeout']);
  const which = text(bus, 'options.bus');
  const limit = milliseconds(timeout, 'options.timeout');
  return Broker.open(await reachBus(which, limit), limit);
}

async function reachBus(which: string, timeout: number): ReturnType<typeof connectBus> {
  try {
    return await connectBus(busAddress(which, process.env), {
      callTimeout: timeout,
      connectTimeout: timeout,
    });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new DmabrokerError('NoBus', `the ${which} bus cannot be reached: ${why}`, { cause: error });
  }
}
