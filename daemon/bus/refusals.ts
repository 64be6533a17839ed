import type { IncomingCall, WireValue } from '../../dbus/connection/bus-types.js';
import { BrokerError } from '../../dbus/errors.js';
import { ALLOCATION_PREFIX } from '../../dbus/names.js';
import type { Owner } from '../broker/broker-types.js';
import type { Log } from '../base/log.js';
import { RecentMap } from '../base/recent-map.js';
import { TokenBucket, type TokenRate } from '../base/token-bucket.js';
import type { ErrorReply } from './error-reply.js';
import { isList } from '../../dbus/wire-read.js';

/** How many refusals of one connection are shown. */
const CLIENT_RATE: TokenRate = { burst: 10, intervalMs: 10_000 };
/** For all connections of a user, which can leave and come back as often as it likes. */
const USER_RATE: TokenRate = { burst: 60, intervalMs: 1_000 };

/** Users that are remembered; one who was refused nothing for long is as good as forgotten. */
const MAX_USERS = 1024;

/** Whose refusals they are, and how many of them were not logged. */
interface Account {
  readonly owner: Owner;
  readonly bucket: TokenBucket;
  hidden: number;
}

/**
 * Says in the log what clients were refused and where we failed them, each once, and of those who are refused again and
 * again only how often.
 */
export class Refusals {
  readonly #log: Pick<Log, 'info' | 'error'>;
  readonly #clock: () => number;
  /** By unique name; each until it leaves. */
  readonly #clients = new Map<string, Account>();
  /** By user id. What is hidden here is of connections that left. */
  readonly #users = new RecentMap<number, Account>(MAX_USERS);

  /** @param clock milliseconds that never go back */
  constructor(log: Pick<Log, 'info' | 'error'>, clock: () => number) {
    this.#log = log;
    this.#clock = clock;
  }

  /** @param caller whose call it was; it has not left */
  tell(call: IncomingCall, caller: Owner, error: unknown, { name, message, isMistake }: ErrorReply): void {
    const client = this.#client(caller);
    const user = this.#user(caller);
    if (!this.#mayShow(client, user)) {
      client.hidden++;
      return;
    }
    const hidden = client.hidden + user.hidden;
    client.hidden = user.hidden = 0;
    const details = {
      code: error instanceof BrokerError ? error.code : name.slice(name.lastIndexOf('.') + 1),
      member: call.member,
      ...whose(caller),
      ...logFieldsOf(call),
      ...(hidden > 0 && { hidden }),
    };
    if (isMistake) this.#log.error({ event: 'call-failed', ...details, err: error }, 'a call failed');
    else this.#log.info({ event: 'call-refused', ...details }, `refused: ${message}`);
  }

  /** The connection has left. */
  forget(name: string): void {
    const client = this.#clients.get(name);
    if (client === undefined) return;
    this.#clients.delete(name);
    if (client.hidden === 0) return;
    const user = this.#user(client.owner);
    if (user.bucket.take(this.#clock())) this.#sum(client, whose(client.owner));
    else user.hidden += client.hidden;
  }

  /** Says what was not shown of those who are still there. */
  close(): void {
    for (const client of this.#clients.values()) this.#sum(client, whose(client.owner));
    for (const user of this.#users.values()) this.#sum(user, { uid: user.owner.uid });
    this.#clients.clear();
    this.#users.clear();
  }

  /** Both count it only when both let it pass. */
  #mayShow(client: Account, user: Account): boolean {
    const now = this.#clock();
    return client.bucket.has(now) && user.bucket.take(now) && client.bucket.take(now);
  }

  #sum({ hidden }: Account, who: { readonly uid: number }): void {
    if (hidden > 0)
      this.#log.info({ event: 'refusals-hidden', ...who, hidden }, `${hidden} more refusals were not logged`);
  }

  #client(owner: Owner): Account {
    const known = this.#clients.get(owner.name);
    if (known !== undefined) return known;
    const account = { owner, bucket: new TokenBucket(CLIENT_RATE), hidden: 0 };
    this.#clients.set(owner.name, account);
    return account;
  }

  #user(owner: Owner): Account {
    const make = (): Account => ({ owner, bucket: new TokenBucket(USER_RATE), hidden: 0 });
    const { value, forgotten } = this.#users.use(owner.uid, make);
    if (forgotten !== undefined) this.#sum(forgotten[1], { uid: forgotten[0] });
    return value;
  }
}

const whose = ({ name, uid, unit }: Owner): { readonly client: string; readonly uid: number } => ({
  client: name,
  uid,
  ...(unit !== '' && { unit }),
});

/** What a call is about, by its own words: whether it exists has not been looked up yet. */
interface LogFields {
  readonly allocation?: string;
  readonly device?: readonly string[];
}

/** Devices that are named: who asks for more is found by these. */
const MAX_DEVICES_NAMED = 8;

/** For the log, so that a person finds there what was refused for a device or an allocation. */
function logFieldsOf({ signature, body: [first] }: IncomingCall): LogFields {
  if (first === undefined) return {};
  if (signature === 'o') return allocation(first);
  return signature === 'a(sa{sv})a{sv}' ? devices(first) : {};
}

const allocation = (path: WireValue): LogFields =>
  typeof path === 'string' && path.startsWith(ALLOCATION_PREFIX)
    ? { allocation: path.slice(ALLOCATION_PREFIX.length) }
    : {};

function devices(entries: WireValue): LogFields {
  if (!isList(entries)) return {};
  const named = entries.flatMap((entry) => (isList(entry) && typeof entry[0] === 'string' ? [entry[0]] : []));
  return named.length === 0 ? {} : { device: [...new Set(named)].slice(0, MAX_DEVICES_NAMED) };
}
