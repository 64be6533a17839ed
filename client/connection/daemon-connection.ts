import { EventEmitter, once } from 'node:events';

import { DRIVER } from '../../dbus/connection/driver.js';
import {
  BusCallError,
  type Bus,
  type IncomingSignal,
  type MethodCall,
  type Reply,
} from '../../dbus/connection/bus-types.js';
import { BUS_NAME } from '../../dbus/names.js';
import { closeAll } from '../../dbus/owned-fd.js';
import { DmabrokerError, failureOf } from '../errors.js';
import { ChannelRoad } from './channel-road.js';
import { asString } from '../wire/fields.js';

const OWNER_CHANGED = `type='signal',sender='${DRIVER}',interface='${DRIVER}',member='NameOwnerChanged',arg0='${BUS_NAME}'`;

export type DaemonCall = Omit<MethodCall, 'destination'>;

export interface CallOptions {
  /** Asked again of the next daemon when this one leaves without an answer. */
  readonly repeatable?: boolean;
  /** False: an absent daemon that the bus cannot start is a failure at once. */
  readonly wait?: boolean;
  /** Is handed the answer that did not come in time; without it a late answer is dropped, and its fds closed. */
  readonly late?: (answer: Promise<Reply>) => void;
  /** The caller takes the reply's descriptors. Those of any other reply, which the contract has none for, are closed. */
  readonly takesFds?: boolean;
}

/**
 * The way to the daemon, across its restarts: a call that finds no daemon waits for the next owner of the name, as
 * long as the timeout allows. A call that the daemon may have seen is repeated only when that does no harm.
 */
export class DaemonConnection {
  readonly bus: Bus;
  /** Milliseconds. */
  readonly timeout: number;
  readonly #events = new EventEmitter<{ owner: [string | undefined] }>();
  readonly #road: ChannelRoad | undefined;
  #owner: string | undefined;
  /** Owner changes seen so far: tells whether an answer about the owner is older than a signal. */
  #changes = 0;
  #closed = false;
  #closedByUs = false;

  private constructor(bus: Bus, timeout: number, channel: boolean) {
    this.bus = bus;
    this.timeout = timeout;
    this.#road = channel ? new ChannelRoad(bus, timeout) : undefined;
    this.#events.setMaxListeners(0);
    void bus.closed.then((error) => {
      this.#closed = true;
      this.#closedByUs = error === undefined;
      this.#ownerIs(undefined);
    });
  }

  /**
   * @param bus whose end is the link's end
   * @param timeout milliseconds for every call, waiting for a daemon included
   * @param channel whether requests leave the bus for a channel where the daemon gives one
   * @throws {DmabrokerError}
   */
  static async open(bus: Bus, timeout: number, channel = false): Promise<DaemonConnection> {
    const connection = new DaemonConnection(bus, timeout, channel);
    try {
      await bus.listen(OWNER_CHANGED, isOwnerChange, ({ body }) => {
        connection.#changes++;
        connection.#ownerIs(asString(body[2], 'NameOwnerChanged') || undefined);
      });
      const owner = await currentOwner(bus);
      if (connection.#changes === 0) connection.#owner = owner;
      return connection;
    } catch (error) {
      throw failureOf(error);
    }
  }

  /** Unique name of the daemon's connection; undefined while there is none. */
  get owner(): string | undefined {
    return this.#owner;
  }

  /** Whether the connection has ended because this side closed it. */
  get closedByUs(): boolean {
    return this.#closedByUs;
  }

  /** Calls back whenever the daemon leaves (undefined) or another comes, until disposed of. */
  onOwner(handler: (owner: string | undefined) => void): Disposable {
    this.#events.on('owner', handler);
    return { [Symbol.dispose]: () => void this.#events.off('owner', handler) };
  }

  /** @throws {DmabrokerError} */
  async call(call: DaemonCall, options: CallOptions = {}): Promise<Reply> {
    const deadline = performance.now() + this.timeout;
    for (;;) {
      const asked = this.#owner;
      try {
        return await this.#ask({ timeout: this.timeout, ...call, destination: BUS_NAME }, options);
      } catch (error) {
        const failure = failureOf(error);
        const again =
          failure.code === 'NoDaemon'
            ? options.wait !== false
            : failure.code === 'DaemonLeft' && options.repeatable;
        if (!again || !(await this.#anotherOwner(asked, deadline))) throw failure;
      }
    }
  }

  async #ask(call: MethodCall, { late, takesFds = false }: CallOptions): Promise<Reply> {
    const road = this.#road ?? this.bus;
    const taken = (answer: Promise<Reply>): Promise<Reply> => (takesFds ? answer : answer.then(withoutFds));
    if (late === undefined) return taken(road.call(call));
    const answer = taken(road.call({ ...call, timeout: Infinity }));
    try {
      return await within(answer, this.timeout);
    } catch (error) {
      if (error instanceof DmabrokerError) late(answer);
      throw error;
    }
  }

  /** Waits until a connection other than `gone` owns the name; false when none did in time. */
  async #anotherOwner(gone: string | undefined, deadline: number): Promise<boolean> {
    const signal = AbortSignal.timeout(Math.max(0, Math.ceil(deadline - performance.now())));
    while (this.#owner === undefined || this.#owner === gone) {
      if (this.#closed) return false;
      try {
        await once(this.#events, 'owner', { signal });
      } catch {
        return false;
      }
    }
    return true;
  }

  #ownerIs(owner: string | undefined): void {
    this.#owner = owner;
    this.#road?.daemonChanged();
    this.#events.emit('owner', owner);
  }
}

function withoutFds(reply: Reply): Reply {
  closeAll(reply.fds);
  return { ...reply, fds: [] };
}

const isOwnerChange = ({ sender, member, signature, body }: IncomingSignal): boolean =>
  sender === DRIVER && member === 'NameOwnerChanged' && signature === 'sss' && body[0] === BUS_NAME;

async function currentOwner(bus: Bus): Promise<string | undefined> {
  try {
    const reply = await bus.call({
      destination: DRIVER,
      path: '/org/freedesktop/DBus',
      interface: DRIVER,
      member: 'GetNameOwner',
      signature: 's',
      body: [BUS_NAME],
    });
    return asString(reply.body[0], 'GetNameOwner');
  } catch (error) {
    if (error instanceof BusCallError && failureOf(error).code === 'NoDaemon') return undefined;
    throw error;
  }
}

/** The promise's result, or a `TimedOut` after so many milliseconds; the promise goes on by itself. */
async function within<T>(promise: Promise<T>, timeout: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new DmabrokerError('TimedOut', `no answer within ${timeout} ms`));
    }, timeout);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
