import { connectBus, type BusOptions } from '../../dbus/connection/bus.js';
import type { Bus, MethodCall, Reply } from '../../dbus/connection/bus-types.js';
import { startBus, type BusKind, type PrivateBus } from './private-bus.js';

/** A service and a client on a private bus, and what the service was told must not reach others. */
export interface BusPair extends AsyncDisposable {
  readonly bus: PrivateBus;
  readonly service: Bus;
  readonly client: Bus;
  readonly faults: unknown[];
  /** Calls the service from the client. */
  ask(call?: Partial<MethodCall>): Promise<Reply>;
}

export async function startPair(kind: BusKind, options: BusOptions = {}): Promise<BusPair> {
  const bus = await startBus({ kind });
  const faults: unknown[] = [];
  const onFault = (error: unknown): void => {
    faults.push(error);
  };
  const service = await connectBus(bus.address, { onFault, ...options });
  const client = await connectBus(bus.address, { onFault, ...options });
  return {
    bus,
    service,
    client,
    faults,
    ask: async (call = {}) =>
      client.call({
        destination: service.uniqueName,
        path: '/test',
        interface: 'test.Test',
        member: 'Test',
        ...call,
      }),
    [Symbol.asyncDispose]: async () => {
      await Promise.all([client.close(), service.close()]);
      await bus.stop();
    },
  };
}
