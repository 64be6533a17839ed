import { pino } from 'pino';
import { onTestFinished, vi } from 'vitest';

import { serve, type BusKind, type Server } from '../../../daemon/bus/server.js';
import { connectBus } from '../../../dbus/connection/bus.js';
import type {
  Bus,
  IncomingSignal,
  MethodCall,
  Reply,
  WireValue,
} from '../../../dbus/connection/bus-types.js';
import { BROKER_INTERFACE, ROOT_PATH } from '../../../dbus/names.js';
import { startBus, type BusOptions } from '../../harness/private-bus.js';
import { makeRig, type Rig, type RigOptions } from '../broker/rig.js';

/** Level of pino's. */
const WARN = 40;

export interface ServeRigOptions extends RigOptions {
  readonly bus?: BusOptions;
  readonly busKind?: BusKind;
  readonly root?: string;
  /** Done with the broker before it is served. */
  readonly before?: (rig: Rig, bus: Bus) => Promise<void>;
}

export interface ServeRig extends Rig {
  readonly address: string;
  /** The service's own connection. */
  readonly bus: Bus;
  readonly server: Server;
  /** Lines of the log, as objects. */
  readonly lines: Record<string, unknown>[];
  /** Those of them that are warnings or worse. */
  warnings(): readonly Record<string, unknown>[];
  /** A connection that the service takes for this user's. */
  client(uid?: number): Promise<Client>;
}

/** The real broker over fake heaps, served on a bus of its own; everything ends with the test. */
export async function serveRig(options: ServeRigOptions = {}): Promise<ServeRig> {
  const privateBus = await startBus(options.bus);
  onTestFinished(() => privateBus.stop());
  const { address } = privateBus;
  const bus = await connect(address);
  const rig = makeRig(options);
  onTestFinished(() => {
    rig.broker.close();
  });
  await options.before?.(rig, bus);

  const lines: Record<string, unknown>[] = [];
  const write = (line: string): void => void lines.push(JSON.parse(line) as Record<string, unknown>);
  const users = new Map<string, number>();
  const server = await serve(withUsers(bus, users), rig.broker, {
    version: '1.2.3',
    logger: pino({}, { write }),
    root: options.root ?? '',
    busKind: options.busKind ?? 'address',
  });
  return {
    ...rig,
    address,
    bus,
    server,
    lines,
    warnings: () => lines.filter(({ level }) => Number(level) >= WARN),
    client: async (uid = 1000) => {
      const client = new Client(await connect(address), bus.uniqueName);
      users.set(client.bus.uniqueName, uid);
      return client;
    },
  };
}

async function connect(address: string): Promise<Bus> {
  const bus = await connectBus(address);
  onTestFinished(() => bus.close());
  return bus;
}

/** The bus, except for which users it says are behind connections: a test runs as one user. */
function withUsers(bus: Bus, users: ReadonlyMap<string, number>): Bus {
  const call = async (request: MethodCall): Promise<Reply> => {
    const reply = await bus.call(request);
    const [name] = request.body ?? [];
    const uid = typeof name === 'string' ? users.get(name) : undefined;
    if (request.member !== 'GetConnectionCredentials' || uid === undefined) return reply;
    return { ...reply, body: [[['UnixUserID', { signature: 'u', value: uid }]]] };
  };
  return new Proxy(bus, {
    get: (target, name) => {
      if (name === 'call') return call;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

/** A client of the service that remembers the signals it got. */
export class Client {
  readonly bus: Bus;
  readonly #service: string;

  constructor(bus: Bus, service: string) {
    this.bus = bus;
    this.#service = service;
  }

  /** Calls a method of the service; the broker's own when nothing else is said. */
  async call(
    member: string,
    signature = '',
    body: readonly WireValue[] = [],
    where: { readonly path?: string; readonly interface?: string; readonly allowInteraction?: boolean } = {},
  ): Promise<Reply> {
    const { path = ROOT_PATH, interface: name = BROKER_INTERFACE, allowInteraction = false } = where;
    const to = { destination: this.#service, path, interface: name };
    return this.bus.call({ ...to, member, signature, body, allowInteraction });
  }

  async get(path: string, interfaceName: string, property: string): Promise<WireValue> {
    const where = { path, interface: 'org.freedesktop.DBus.Properties' };
    const { body } = await this.call('Get', 'ss', [interfaceName, property], where);
    const [value] = body;
    if (value === undefined || typeof value !== 'object' || !('signature' in value))
      throw new Error('no variant');
    return value.value;
  }

  /** Signals of the service from now on, broadcast or sent to this connection alone. */
  async signals(): Promise<readonly IncomingSignal[]> {
    const heard: IncomingSignal[] = [];
    await this.bus.listen(
      `type='signal',sender='${this.#service}'`,
      ({ sender }) => sender === this.#service,
      (signal) => void heard.push(signal),
    );
    return heard;
  }

  /** Waits until the service has answered everything that was sent before. */
  async settled(): Promise<void> {
    await this.call('Ping', '', [], { interface: 'org.freedesktop.DBus.Peer' });
  }
}

/** The error that a call ends with, as `name: message`. */
export const refusalOf = async (call: Promise<unknown>): Promise<{ name: string; message: string }> => {
  try {
    await call;
  } catch (error) {
    if (error instanceof Error && 'errorName' in error)
      return { name: String(error.errorName), message: error.message };
    throw error;
  }
  throw new Error('the call was answered');
};

/** Waits for a condition. */
export const until = async (expectation: () => void | Promise<void>): Promise<void> => {
  await vi.waitFor(expectation, { timeout: 10_000, interval: 10 });
};
