import { LimitsExceeded } from '../errors.js';
import { ADMINISTRATOR_UID } from '../names.js';
import { Progress } from './progress.js';

const MIB = 2 ** 20;

/** What one user may have at once of what all users share. */
export interface Share {
  /** Bytes of calls that wait for their turn. */
  readonly waitingBytes: number;
  /** Calls whose answer takes time. */
  readonly underWay: number;
  /** Searches for the reasons of a conflict, which take up to half a second each. */
  readonly searches: number;
  /** Bytes of answers that were sent and not read. */
  readonly unreadBytes: number;
}

/** For every user but the administrator. */
export const USER_SHARE: Share = {
  waitingBytes: 2 * MIB,
  underWay: 512,
  searches: 16,
  unreadBytes: 8 * MIB,
};

/** For uid 0, which nothing that others do makes smaller. */
export const ADMINISTRATOR_SHARE: Share = {
  waitingBytes: 4 * MIB,
  underWay: 4096,
  searches: 64,
  unreadBytes: 32 * MIB,
};

/** For all connections together of which it is not yet known whose they are. */
export const STRANGERS_SHARE: Share = { ...USER_SHARE, waitingBytes: 4 * MIB };

/** A user has its share of something, and more would be another's. The caller gets it as LimitsExceeded. */
export class ShareExceeded extends LimitsExceeded {
  override readonly name = 'ShareExceeded';

  /** @param what is under way, in words: `512 calls` */
  constructor(what: string) {
    super(
      `this user already has ${what} under way, the most that one user may have; try again when some are finished`,
    );
  }
}

/**
 * What one user has under way, over all its connections, and its share of what may be. Queues take turns by account, so
 * that a user with many connections gets no larger share than one with a single connection.
 */
export class Account {
  /** Absent for strangers. */
  readonly uid: number | undefined;
  readonly share: Share;
  /** Calls whose answer takes time. */
  underWay = 0;
  /** Searches that run or wait. */
  searches = 0;
  /** Bytes that were sent to its connections and perhaps not read. */
  unreadBytes = 0;

  constructor(uid: number | undefined, share: Share) {
    this.uid = uid;
    this.share = share;
  }

  /** Whether others cannot make its share smaller. */
  get isPrivileged(): boolean {
    return this.uid === ADMINISTRATOR_UID;
  }

  /** So much waits to be read that nothing more is sent. */
  get readsTooLittle(): boolean {
    return this.unreadBytes > this.share.unreadBytes;
  }

  /** Nothing of this user is under way. */
  get idle(): boolean {
    return this.underWay === 0 && this.searches === 0 && this.unreadBytes === 0;
  }
}

/** A connection that asks, with its user's account. */
export interface Requester {
  readonly account: Account;
  /** Unique name. */
  readonly name: string;
}

/** Users that are remembered; one that has asked nothing for long is as good as forgotten. */
const MAX_ACCOUNTS = 1024;

/** The account of every user that asked something lately. */
export class Accounts {
  readonly strangers = new Account(undefined, STRANGERS_SHARE);
  /** Of what waits for its turn, of all users. */
  readonly progress = new Progress();
  readonly #accounts = new Map<number, Account>();

  of(uid: number): Account {
    const account =
      this.#accounts.get(uid) ??
      new Account(uid, uid === ADMINISTRATOR_UID ? ADMINISTRATOR_SHARE : USER_SHARE);
    this.#accounts.delete(uid);
    this.#accounts.set(uid, account);
    if (this.#accounts.size > MAX_ACCOUNTS) this.#forgetOne();
    return account;
  }

  /** The one that asked longest ago, among those with nothing under way. */
  #forgetOne(): void {
    for (const [uid, account] of this.#accounts)
      if (account.idle) {
        this.#accounts.delete(uid);
        return;
      }
  }
}

/** Whose connections are. */
export interface CallAccounts extends Pick<Accounts, 'strangers'> {
  /** Told of calls that wait and that are handled. */
  readonly progress?: Progress;
  /** Undefined while it is not known. */
  ofSender(sender: string): Account | undefined;
  /** Told of what is sent to a connection, in bytes. */
  sent?(receiver: string, bytes: number): void;
}
