import type { Bus, BusClosedError, Channel } from '../../dbus/connection/bus-types.js';
import type { OwnedFd } from '../../dbus/owned-fd.js';
import type { Broker, Owner } from '../broker/broker-types.js';
import { payerOf } from '../ledger/ledger-types.js';
import type { Log } from '../base/log.js';
import { TokenBucket, type TokenRate } from '../base/token-bucket.js';

/** How often it is said that a channel was closed; a client can open as many as it likes, one after the other. */
const LOG_RATE: TokenRate = { burst: 10, intervalMs: 10_000 };

export interface ChannelsOptions {
  readonly bus: Pick<Bus, 'openChannel'>;
  readonly broker: Pick<Broker, 'admitChannel'>;
  readonly log: Pick<Log, 'info'>;
  /** Milliseconds that never go back. */
  readonly clock: () => number;
  /** Called whenever there are more or fewer. */
  readonly changed: () => void;
}

/** A channel with the client's end of it, which is the caller's. */
export interface OpenedChannel {
  readonly channel: Channel;
  readonly client: OwnedFd;
}

/** The channels of all connections. Each ends with the connection that opened it, and its end releases nothing. */
export class Channels {
  readonly #options: ChannelsOptions;
  /** By the unique name of the owner. */
  readonly #ofClients = new Map<string, Set<Channel>>();
  /** By the user that pays. */
  readonly #ofUsers = new Map<number, number>();
  readonly #mayLog = new TokenBucket(LOG_RATE);
  #count = 0;

  constructor(options: ChannelsOptions) {
    this.#options = options;
  }

  get count(): number {
    return this.#count;
  }

  /** @throws {BrokerError} QuotaExceeded @throws {SocketError} */
  open(owner: Owner): OpenedChannel {
    const { bus, broker } = this.#options;
    const ofClient = this.#ofClients.get(owner.name) ?? new Set();
    const user = payerOf(owner);
    broker.admitChannel(owner, { client: ofClient.size, user: this.#ofUsers.get(user) ?? 0 });
    const opened = bus.openChannel(owner.name);
    this.#ofClients.set(owner.name, ofClient.add(opened.channel));
    this.#counted(user, 1);
    void opened.channel.closed.then((reason) => {
      this.#forget(owner, opened.channel);
      if (reason !== undefined) this.#tell(owner, reason);
    });
    return opened;
  }

  /** The connection has left the bus. */
  ownerLeft(name: string): void {
    for (const channel of [...(this.#ofClients.get(name) ?? [])]) channel.end();
  }

  /** Ends all of them; what was answered is sent first. */
  async close(): Promise<void> {
    const all = [...this.#ofClients.values()].flatMap((channels) => [...channels]);
    await Promise.all(all.map((channel) => channel.close()));
  }

  #forget({ name, ...owner }: Owner, channel: Channel): void {
    const channels = this.#ofClients.get(name);
    channels?.delete(channel);
    if (channels?.size === 0) this.#ofClients.delete(name);
    this.#counted(payerOf(owner), -1);
  }

  #counted(user: number, more: 1 | -1): void {
    const count = (this.#ofUsers.get(user) ?? 0) + more;
    if (count === 0) this.#ofUsers.delete(user);
    else this.#ofUsers.set(user, count);
    this.#count += more;
    this.#options.changed();
  }

  /** A client that closes its end, or ends, does what it may. */
  #tell({ name, uid }: Owner, { reason, message }: BusClosedError): void {
    if (reason === 'ended' || reason === 'closed') return;
    const { log, clock } = this.#options;
    if (this.#mayLog.take(clock()))
      log.info({ event: 'channel-closed', client: name, uid, reason }, `a channel was closed: ${message}`);
  }
}
