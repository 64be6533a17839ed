import { EventEmitter } from 'node:events';

import type { Bus } from '../dbus/connection/bus-types.js';
import { BROKER_INTERFACE, ROOT_PATH } from '../dbus/names.js';
import { Allocation } from './allocation.js';
import { objectPath, oneOf, text, unsigned } from './check.js';
import { DmabrokerError, failureOf } from './errors.js';
import type { Grant } from './connection/allocate.js';
import { FdBudget } from './connection/fd-budget.js';
import { PartyCalls } from './connection/party-calls.js';
import { PartyNews } from './connection/party-news.js';
import { TrackedAllocations } from './connection/tracked.js';
import { DaemonConnection, type DaemonCall } from './connection/daemon-connection.js';
import { Requests } from './connection/requests.js';
import { readRoot, readTree, type WaitOptions } from './connection/tree.js';
import type {
  AllocationInfo,
  BrokerObject,
  BrokerStatus,
  Details,
  DeviceInfo,
  Explanation,
  ImageLayout,
  MemoryLayout,
  PoolInfo,
} from './model.js';
import type { CollectionRequest, NegotiateOptions } from './negotiation.js';
import { Party } from './party.js';
import type { BufferRequest, DeviceRequest, ImageRequest, MemoryRequest } from './request.js';
import { Watch } from './watch.js';
import { decodeDetails } from './wire/decode.js';
import { encodeCollection } from './wire/encode-negotiation.js';
import { decodeObject, decodeStatus } from './wire/objects.js';

/** Options of a call for which a person may be asked. */
const INTERACTIVE: WaitOptions = { allowInteraction: true, timeout: Infinity };

export interface BrokerEvents {
  /** A daemon took over that does not have this allocation. Its buffers stay usable. */
  lost: [allocation: Allocation];
  /** The connection to the bus ended: undefined after `close`, otherwise why. Buffers stay usable, calls fail with `NoBus`. */
  closed: [error: DmabrokerError | undefined];
}

/**
 * A connection to the broker (`connect` makes one). It outlives the daemon: while the daemon restarts, calls wait for
 * it. Every method rejects with `DmabrokerError`. The broker ends what the connection allocated when it closes.
 */
export class Broker extends EventEmitter<BrokerEvents> implements AsyncDisposable {
  readonly #connection: DaemonConnection;
  readonly #requests: Requests;
  readonly #tracked: TrackedAllocations<Allocation>;
  readonly #partyCalls: PartyCalls;
  readonly #partyNews: PartyNews;

  private constructor(connection: DaemonConnection) {
    super();
    this.#connection = connection;
    const budget = new FdBudget();
    this.#requests = new Requests(connection, budget);
    this.#partyCalls = new PartyCalls(connection, budget);
    this.#partyNews = new PartyNews(connection, this.#partyCalls);
    this.#tracked = new TrackedAllocations(connection, (allocation) => this.emit('lost', allocation));
    void connection.bus.closed.then((error) => {
      this.emit('closed', error === undefined ? undefined : failureOf(error));
    });
  }

  /**
   * Finds the daemon, or has the bus start it.
   * @param bus the broker's from now on, also when this fails
   * @param timeout milliseconds for every call
   * @param channel whether requests leave the bus for a channel after the first allocation
   * @throws {DmabrokerError} NoDaemon
   */
  static async open(bus: Bus, timeout: number, channel = false): Promise<Broker> {
    try {
      const connection = await DaemonConnection.open(bus, timeout, channel);
      await readRoot(connection, { wait: false });
      return new Broker(connection);
    } catch (error) {
      await bus.close();
      throw failureOf(error);
    }
  }

  /**
   * Allocates buffers that every named device can use. All of them come, or none.
   *
   * @param devices who will touch the buffers, and how
   * @param buffer what they hold, and how many
   * @returns an allocation that the caller releases
   * @throws {DmabrokerError} with a code of the contract; a `Conflict` has the clashing constraints in `conflict`
   *
   * @example
   * ```ts
   * import { connect, DmabrokerError } from 'dmabroker';
   *
   * await using broker = await connect();
   * try {
   *   await broker.allocate(
   *     [{ device: 'cpu', uses: ['read'], pitchMultiple: 256 }, { device: 'cpu', pitchMax: 100 }],
   *     { width: 20, height: 20, format: 'XR24' },
   *   );
   * } catch (error) {
   *   if (!(error instanceof DmabrokerError)) throw error;
   *   console.log(error.code, error.conflict.length); // Conflict 2
   * }
   * ```
   */
  allocate(devices: readonly DeviceRequest[], buffer: ImageRequest): Promise<Allocation<ImageLayout>>;
  allocate(devices: readonly DeviceRequest[], buffer: MemoryRequest): Promise<Allocation<MemoryLayout>>;
  allocate(devices: readonly DeviceRequest[], buffer: BufferRequest): Promise<Allocation>;
  async allocate(devices: readonly DeviceRequest[], buffer: BufferRequest): Promise<Allocation> {
    const allocation = this.#hold(await this.#requests.allocate(devices, buffer));
    this.#tracked.add(allocation.path, allocation);
    return allocation;
  }

  /**
   * The decision that `allocate` would take and its reasons, without allocating.
   *
   * @example
   * ```ts
   * import { connect } from 'dmabroker';
   *
   * await using broker = await connect();
   * const { feasible, constraints } = await broker.explain(
   *   [{ device: 'cpu', uses: ['write'], pitchMultiple: 256 }],
   *   { width: 100, height: 100, format: 'XR24' },
   * );
   * console.log(feasible); // true
   * for (const { constraint, value, device, source } of constraints) console.log(constraint, value, device, source);
   * ```
   */
  explain(devices: readonly DeviceRequest[], buffer: BufferRequest): Promise<Explanation> {
    return this.#requests.explain(devices, buffer);
  }

  /**
   * Begins a negotiation: one set of buffers that several connections agree on. This one pays for them, and bounds them.
   * @param buffer what they hold; the needs of all parties say how many there are, unless it does
   * @returns the first party, which invites the others and says its own needs
   */
  async negotiate(buffer: CollectionRequest, options: NegotiateOptions = {}): Promise<Party> {
    const body = encodeCollection(buffer, options);
    return this.#party(() => this.#partyCalls.negotiate(body));
  }

  /**
   * Takes part in the negotiation that a token (`Party.invite`) was made for, and uses it up.
   * @throws {DmabrokerError} UnknownToken, whatever is wrong with the token; Unavailable after ten wrong ones in a minute
   */
  async join(token: string): Promise<Party> {
    const given = text(token, 'token');
    return this.#party(() => this.#partyCalls.join(given));
  }

  /** The broker's version, totals, shortfalls and warnings. */
  async status(): Promise<BrokerStatus> {
    const { path, fields } = await readRoot(this.#connection);
    return decodeStatus(path, fields);
  }

  devices(): Promise<readonly DeviceInfo[]> {
    return this.#objects('device');
  }

  pools(): Promise<readonly PoolInfo[]> {
    return this.#objects('pool');
  }

  /**
   * Those of this user; of root, all.
   * @param of `others`: all, if polkit allows it; waits as long as a person is asked, and gives one's own after a no
   */
  async allocations(of: 'own' | 'others' = 'own'): Promise<readonly AllocationInfo[]> {
    const whose = oneOf(of, ['own', 'others'], 'of');
    return this.#objects('allocation', whose === 'others' ? INTERACTIVE : {});
  }

  /** Follows what the broker shows on the bus, until disposed of. */
  watch(): Promise<Watch> {
    return Watch.open(this.#connection);
  }

  /** Ends an allocation by its object path, also another owner's: polkit decides. Waits as long as a person is asked. */
  async release(path: string): Promise<void> {
    await this.#administer('Release', 'o', objectPath(path, 'path'));
  }

  /** Has the daemon read its policy again; polkit decides. */
  async reload(): Promise<void> {
    await this.#administer('Reload', '');
  }

  /**
   * Limits a pool until the next reload; polkit decides.
   * @param pool handle
   * @param bytes how much of it may live at once
   */
  async setPoolLimit(pool: string, bytes: number | bigint): Promise<void> {
    await this.#administer('SetPoolLimit', 'st', text(pool, 'pool'), unsigned(bytes, 64n, 'bytes'));
  }

  /** Heap name and details behind a pool's handle; polkit decides. */
  async reveal(pool: string): Promise<Details> {
    const [details] = await this.#administer('Reveal', 's', text(pool, 'pool'));
    return decodeDetails(details, 'Reveal');
  }

  /** Ends the connection, and with it at the broker whatever it allocated. Open buffers stay usable. */
  close(): Promise<void> {
    return this.#connection.bus.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #hold(grant: Grant): Allocation {
    return new Allocation(grant, {
      extend: (path, count, fdsPerBuffer) => this.#requests.extend(path, count, fdsPerBuffer),
      end: (path) => this.#end(path),
      holds: (path) => this.#tracked.has(path),
    });
  }

  async #party(begin: () => Promise<string>): Promise<Party> {
    await this.#partyNews.open();
    return this.#partyNews.during(async () => new Party(await begin(), this.#partyCalls, this.#partyNews));
  }

  async #end(path: string): Promise<void> {
    try {
      await this.#requests.release(path);
    } catch (error) {
      // The broker has ended it already: on another call of ours, or with the connection.
      const ended =
        error instanceof DmabrokerError && (error.code === 'UnknownAllocation' || error.code === 'NoBus');
      if (!ended) throw error;
    }
    this.#tracked.delete(path);
  }

  async #administer(member: string, signature: string, ...body: NonNullable<DaemonCall['body']>) {
    const call = { path: ROOT_PATH, interface: BROKER_INTERFACE, member, signature, body };
    const reply = await this.#connection.call({ ...call, ...INTERACTIVE });
    return reply.body;
  }

  async #objects<K extends BrokerObject['kind']>(
    kind: K,
    waiting: WaitOptions = {},
  ): Promise<readonly Extract<BrokerObject, { kind: K }>[]> {
    const objects = (await readTree(this.#connection, waiting)).map(decodeObject);
    return objects.filter((object): object is Extract<BrokerObject, { kind: K }> => object.kind === kind);
  }
}
