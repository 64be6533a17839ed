import type { Account } from './account.js';
import { Largest } from './largest.js';
import { TurnOrder, type Consumer } from './turn-order.js';

interface Waiting<T> {
  readonly job: T;
  readonly bytes: number;
}

/** What one connection has waiting, the first first. */
interface Line<T> extends Consumer {
  readonly requester: string;
  readonly jobs: Waiting<T>[];
  user: User<T>;
  bytes: number;
  /** Times that it was held and not released. */
  holds: number;
}

/** What one user has waiting. */
interface User<T> extends Consumer {
  readonly account: Account;
  readonly lines: TurnOrder<Line<T>>;
  /** Its connections by the memory of what they have waiting. */
  readonly holders: Largest<Line<T>>;
  bytes: number;
}

/** A job whose turn it is. */
export interface Turn<T> {
  readonly job: T;
  /** Counts what it cost, once that is known. */
  readonly charge: (cost: number) => void;
}

/**
 * Jobs that wait for their turn. Turns go by user, then by connection, each time to the one that used least of what is
 * measured; a connection's own jobs go in order.
 */
export class FairQueue<T> {
  readonly #users = new WeakMap<Account, User<T>>();
  readonly #order = new TurnOrder<User<T>>();
  readonly #lines = new Map<string, Line<T>>();
  /** Users by the memory of what waits, without the administrator. */
  readonly #holders = new Largest<User<T>>();
  #bytes = 0;

  /** Memory that waits, of those that are held, too. */
  get bytes(): number {
    return this.#bytes;
  }

  /** No connection has a turn. */
  get empty(): boolean {
    return this.#order.empty;
  }

  /** Memory that waits of one user, and of one connection. */
  bytesOf(account: Account): number {
    return this.#users.get(account)?.bytes ?? 0;
  }

  bytesOfRequester(requester: string): number {
    return this.#lines.get(requester)?.bytes ?? 0;
  }

  /** @param bytes of memory that it holds while it waits */
  add(account: Account, requester: string, job: T, bytes = 0): void {
    const line = this.#line(account, requester);
    line.jobs.push({ job, bytes });
    this.#count(line, bytes);
    this.#queue(line);
  }

  /** Puts a job that was begun before those of the same connection that wait. */
  putBack(account: Account, requester: string, job: T): void {
    const line = this.#line(account, requester);
    line.jobs.unshift({ job, bytes: 0 });
    this.#queue(line);
  }

  /** Takes out the next job. */
  next(): Turn<T> | undefined {
    for (let user = this.#order.take(); user !== undefined; user = this.#order.take()) {
      const line = user.lines.take();
      const first = line?.jobs.shift();
      if (!user.lines.empty) this.#order.add(user);
      if (line === undefined || first === undefined) continue;
      this.#count(line, -first.bytes);
      if (line.jobs.length > 0) this.#queue(line);
      else this.#lines.delete(line.requester);
      return {
        job: first.job,
        charge: (cost) => {
          line.used += cost;
          line.user.used += cost;
        },
      };
    }
    return undefined;
  }

  /** A user with the most memory that waits, as `Largest` finds it, but for the administrator. */
  get largest(): Account | undefined {
    return this.#holders.find()?.account;
  }

  /**
   * Takes out what came last of a connection of a user with the most memory that waits, as `Largest` finds it.
   * @param moreThan bytes; a connection with no more keeps what it has
   */
  takeBack(account: Account, moreThan = 0): T | undefined {
    const most = this.#users.get(account)?.holders.find();
    if (most === undefined || most.bytes <= moreThan) return undefined;
    const last = most.jobs.pop();
    if (last === undefined) return undefined;
    this.#count(most, -last.bytes);
    if (most.jobs.length === 0 && most.holds === 0) this.drop(most.requester);
    return last.job;
  }

  /** Counts what a job cost that was done at once, because nothing waited. */
  serveAtOnce(account: Account, cost: number): void {
    this.#order.serveAtOnce(this.#user(account), cost);
  }

  /** Gives one no turn until it was released as often as it was held. */
  hold(account: Account, requester: string): void {
    const line = this.#line(account, requester);
    line.holds += 1;
    line.user.lines.remove(line);
    if (line.user.lines.empty) this.#order.remove(line.user);
  }

  isHeld(requester: string): boolean {
    return (this.#lines.get(requester)?.holds ?? 0) > 0;
  }

  /** @param account whose connection it has turned out to be */
  release(account: Account, requester: string): void {
    const line = this.#lines.get(requester);
    if (line === undefined) return;
    line.holds -= 1;
    if (line.holds > 0) return;
    const { bytes } = line;
    this.#count(line, -bytes);
    line.user = this.#user(account);
    this.#count(line, bytes);
    line.used = 0;
    if (line.jobs.length > 0) this.#queue(line);
    else this.#lines.delete(requester);
  }

  /** Takes out all that one has, which is held no more. */
  drop(requester: string): readonly T[] {
    const line = this.#lines.get(requester);
    if (line === undefined) return [];
    this.#lines.delete(requester);
    this.#count(line, -line.bytes);
    line.user.lines.remove(line);
    if (line.user.lines.empty) this.#order.remove(line.user);
    return line.jobs.splice(0).map(({ job }) => job);
  }

  clear(): void {
    for (const requester of [...this.#lines.keys()]) this.drop(requester);
  }

  #count(line: Line<T>, bytes: number): void {
    line.bytes += bytes;
    line.user.bytes += bytes;
    this.#bytes += bytes;
    line.user.holders.set(line, line.bytes);
    if (!line.user.account.isPrivileged) this.#holders.set(line.user, line.user.bytes);
  }

  #queue(line: Line<T>): void {
    if (line.holds > 0) return;
    line.user.lines.add(line);
    this.#order.add(line.user);
  }

  #line(account: Account, requester: string): Line<T> {
    const known = this.#lines.get(requester);
    if (known !== undefined) return known;
    const line = { requester, jobs: [], user: this.#user(account), bytes: 0, holds: 0, used: 0 };
    this.#lines.set(requester, line);
    return line;
  }

  #user(account: Account): User<T> {
    const known = this.#users.get(account);
    if (known !== undefined) return known;
    const lines = new TurnOrder<Line<T>>();
    const user = { account, lines, holders: new Largest<Line<T>>(), bytes: 0, used: 0 };
    this.#users.set(account, user);
    return user;
  }
}
