import type { Account } from '../../dbus/accounts/account.js';
import { queuedFor, type QueuedBytes } from '../../dbus/connection/driver.js';
import type { Bus } from '../../dbus/connection/bus-types.js';
import { pause, type Clock, type Later } from '../base/time.js';

/** Milliseconds between two looks at what a user has not read. */
const LOOK_MS = 50;
/** Milliseconds of not reading after which a connection loses what it was given. */
const UNREAD_LIMIT_MS = 10_000;
/** Milliseconds after which all counts as read, where the bus does not tell. */
const ASSUMED_MS = 500;
/** Bytes below which a connection is not asked about. */
const LITTLE_BYTES = 4096;

interface Receiver {
  readonly account: Account;
  /** What was sent since the bus was asked, and what waited on it then. */
  bytes: number;
}

export interface UnreadOptions {
  readonly bus: Pick<Bus, 'call'>;
  readonly accountOf: (name: string) => Account;
  readonly later: Later;
  readonly clock: Clock;
  /** Told of a connection that did not read for long: what it was given is to be taken back. */
  readonly lost: (name: string) => void;
  /** Ends all waiting: a shutdown does not wait for a client to read. */
  readonly end: AbortSignal;
}

/**
 * What was sent to each connection and not read yet. A bus stops reading the service when too much that it sent waits for
 * receivers, so a user that does not read is not answered until it does. What waits is counted here, and asked of the bus
 * when that is beyond the user's share: dbus-daemon tells (org.freedesktop.DBus.Debug.Stats), and dbus-broker disconnects
 * such a receiver by itself.
 */
export class UnreadBytes {
  readonly #options: UnreadOptions;
  readonly #receivers = new Map<string, Receiver>();
  readonly #waiting = new Map<Account, Promise<void>>();

  constructor(options: UnreadOptions) {
    this.#options = options;
  }

  sent(name: string, bytes: number): void {
    const account = this.#options.accountOf(name);
    const before = this.#receivers.get(name);
    if (before?.account === account) this.#set(before, before.bytes + bytes);
    else {
      // It was a stranger's until now.
      const sum = (before?.bytes ?? 0) + bytes;
      this.forget(name);
      const receiver = { account, bytes: 0 };
      this.#receivers.set(name, receiver);
      this.#set(receiver, sum);
    }
  }

  /** Undefined when the user may be answered at once; else settles when it may, and never fails. */
  room(account: Account): Promise<void> | undefined {
    if (!account.readsTooLittle) return undefined;
    const known = this.#waiting.get(account);
    if (known !== undefined) return known;
    const waiting = this.#untilRead(account).finally(() => {
      this.#waiting.delete(account);
    });
    this.#waiting.set(account, waiting);
    return waiting;
  }

  /** The connection has left, and with it what waited. */
  forget(name: string): void {
    const receiver = this.#receivers.get(name);
    if (receiver === undefined) return;
    this.#set(receiver, 0);
    this.#receivers.delete(name);
  }

  async #untilRead(account: Account): Promise<void> {
    const { clock, later, end } = this.#options;
    const begin = clock();
    let mayKeep = true;
    while (!end.aborted) {
      await Promise.all(this.#of(account).map(([name, receiver]) => this.#look(name, receiver)));
      if (!account.readsTooLittle) return;
      if (mayKeep && clock() - begin > UNREAD_LIMIT_MS) {
        mayKeep = false;
        for (const [name] of this.#of(account)) this.#options.lost(name);
      }
      await pause(LOOK_MS, later);
    }
  }

  #of(account: Account): readonly (readonly [string, Receiver])[] {
    return [...this.#receivers].filter(
      ([, receiver]) => receiver.account === account && receiver.bytes > LITTLE_BYTES,
    );
  }

  async #look(name: string, receiver: Receiver): Promise<void> {
    const before = receiver.bytes;
    const queued = await this.#queued(name);
    // It left meanwhile, or is another account's now: what it had does not count here any more.
    if (this.#receivers.get(name) !== receiver) return;
    // What was sent meanwhile is not in what the bus said.
    this.#set(receiver, queued + receiver.bytes - before);
  }

  async #queued(name: string): Promise<number> {
    const queued: QueuedBytes = await queuedFor(this.#options.bus, name);
    if (queued === 'not told') await pause(ASSUMED_MS, this.#options.later);
    return typeof queued === 'number' ? queued : 0;
  }

  #set(receiver: Receiver, bytes: number): void {
    receiver.account.unreadBytes += bytes - receiver.bytes;
    receiver.bytes = bytes;
  }
}
