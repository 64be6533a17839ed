import { connectChannel, type ChannelClient } from '../../dbus/connection/channel-client.js';
import {
  BusCallError,
  BusClosedError,
  type Bus,
  type MethodCall,
  type Reply,
} from '../../dbus/connection/bus-types.js';
import { errorName } from '../../dbus/errors.js';
import { BROKER_INTERFACE, BUS_NAME, ROOT_PATH } from '../../dbus/names.js';
import { closeAll } from '../../dbus/owned-fd.js';

/** Members of the broker that go over a channel; everything else is asked rarely. */
const MEMBERS: ReadonlySet<string> = new Set(['Allocate', 'Explain', 'Release']);

/** Times that a channel to one daemon is opened: one that breaks again and again is of no use. */
const MAX_OPENINGS = 8;

/** The channel takes shorter arguments than the bus, and has a line of its own that can be full. */
const LIMITS_EXCEEDED = 'org.freedesktop.DBus.Error.LimitsExceeded';

/**
 * Takes requests to the daemon over a channel while there is one, and over the bus otherwise. What is under way when the
 * channel breaks goes on over the bus: the daemon gives back what an answer carries that it could not send.
 */
export class ChannelRoad {
  readonly #bus: Bus;
  readonly #timeout: number;
  #channel: ChannelClient | undefined;
  #openings = 0;
  #isOpening = false;
  /** Tells whether the daemon is still the one that was asked for a channel. */
  #daemon = 0;
  #ended = false;

  /** @param timeout milliseconds for opening a channel */
  constructor(bus: Bus, timeout: number) {
    this.#bus = bus;
    this.#timeout = timeout;
    void bus.closed.then(() => {
      this.#ended = true;
      this.#leave();
    });
  }

  /** Another daemon, or none: the channel of the one before takes no more, and ends with it. */
  daemonChanged(): void {
    this.#daemon += 1;
    this.#openings = 0;
    this.#channel = undefined;
  }

  /** @throws {BusCallError | BusTimeoutError | BusClosedError} */
  async call(call: MethodCall): Promise<Reply> {
    const channel = this.#channel;
    if (channel === undefined || call.interface !== BROKER_INTERFACE || !MEMBERS.has(call.member)) {
      const reply = await this.#bus.call(call);
      // A program that allocates once does so again.
      if (call.interface === BROKER_INTERFACE && call.member === 'Allocate') void this.#open();
      return reply;
    }
    try {
      return await channel.call(call);
    } catch (error) {
      const isBroken = error instanceof BusClosedError;
      if (!isBroken && !(error instanceof BusCallError && error.errorName === LIMITS_EXCEEDED)) throw error;
      return await this.#callAgain(call);
    }
  }

  async #callAgain(call: MethodCall): Promise<Reply> {
    try {
      return await this.#bus.call(call);
    } catch (error) {
      // The daemon did it, and could not say so any more.
      const isDone = error instanceof BusCallError && error.errorName === errorName('UnknownAllocation');
      if (call.member === 'Release' && isDone) return { signature: '', body: [], fds: [] };
      throw error;
    }
  }

  /** A daemon that gives no channel, or an old one, is asked no more; the bus does as well. */
  async #open(): Promise<void> {
    if (this.#channel !== undefined || this.#isOpening || this.#ended || this.#openings >= MAX_OPENINGS)
      return;
    const daemon = this.#daemon;
    const isWanted = (): boolean => !this.#ended && daemon === this.#daemon;
    this.#isOpening = true;
    this.#openings += 1;
    try {
      const channel = await this.#opened();
      if (!isWanted()) {
        await channel.close();
        return;
      }
      this.#channel = channel;
      void channel.closed.then(() => {
        if (this.#channel === channel) this.#channel = undefined;
      });
    } catch {
      if (isWanted()) this.#openings = MAX_OPENINGS;
    } finally {
      this.#isOpening = false;
    }
  }

  async #opened(): Promise<ChannelClient> {
    const { fds } = await this.#bus.call({
      destination: BUS_NAME,
      path: ROOT_PATH,
      interface: BROKER_INTERFACE,
      member: 'OpenChannel',
      signature: 'a{sv}',
      body: [[]],
      timeout: this.#timeout,
    });
    const [fd, ...others] = fds;
    closeAll(others);
    if (fd === undefined) throw new BusClosedError('the daemon sent no socket');
    return connectChannel(fd, AbortSignal.timeout(this.#timeout), {
      callTimeout: this.#timeout,
      onFault: () => undefined,
    });
  }

  #leave(): void {
    const channel = this.#channel;
    this.#channel = undefined;
    void channel?.close();
  }
}
