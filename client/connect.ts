import { busAddress, connectBus } from '../dbus/connection/bus.js';
import { Broker } from './broker.js';
import { boolean, milliseconds, record, text } from './check.js';
import { DmabrokerError } from './errors.js';

export interface ConnectOptions {
  /** `system` (the default), `session`, or a D-Bus address. */
  readonly bus?: string;
  /** Milliseconds for connecting and for every call, waiting for a restarting daemon included: at most 2³¹ − 1 (25,000). */
  readonly timeout?: number;
  /**
   * Whether requests leave the bus for a private socket after the first allocation, where the daemon gives one (true):
   * they take less than half of the time then. Nothing else differs, and they go over the bus whenever it breaks.
   */
  readonly channel?: boolean;
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
  const keys = ['bus', 'timeout', 'channel'] as const;
  const { timeout = DEFAULT_TIMEOUT_MS, bus = 'system', channel = true } = record(options, 'options', keys);
  const which = text(bus, 'options.bus');
  const limit = milliseconds(timeout, 'options.timeout');
  const leavesBus = boolean(channel, 'options.channel');
  return Broker.open(await reachBus(which, limit), limit, leavesBus);
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
