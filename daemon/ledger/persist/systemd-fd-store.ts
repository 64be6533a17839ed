import type { ServiceManager } from '../../kernel/service-manager.js';
import type { WarningLog } from '../../base/log.js';
import { pause, within, type Later } from '../../base/time.js';
import type { Deposit, FdStore } from '../../pools/fd-store.js';
import type { Journal } from './journal.js';
import type { BufferRecord, StateRecord } from './journal-record.js';

export interface SystemdFdStoreOptions {
  /** Keeps copies; without it, buffers outlive the process only when they are handed to a successor. */
  readonly manager: ServiceManager | undefined;
  /** Copies that the manager keeps at most. */
  readonly capacity: number;
  readonly journal: Pick<Journal, 'add' | 'flush'>;
  readonly inode: (fd: number) => bigint;
  /** References anywhere to a buffer that counts them. */
  readonly references: (fd: number) => number;
  readonly later: Later;
  readonly log: WarningLog;
}

/** A descriptor (borrowed), and the name under which its buffer is known. */
export interface NamedFd {
  readonly number: number;
  readonly name: string;
}

/** Has a service manager give up what it keeps under a name (sd_pid_notify_with_fds(3)). */
export const fdStoreRemoval = (name: string): string => `FDSTOREREMOVE=1\nFDNAME=${name}`;

/** A buffer that is known by name. */
interface Entry {
  readonly record: BufferRecord;
  /** Copies that the manager has; undefined while that is not known. */
  copies: 0 | 1 | undefined;
}

/** Milliseconds that a buffer waits for the manager to take its copy, and between two tries when it has no room. */
const STORE_TIMEOUT_MS = 2000;
const RETRY_DELAY_MS = 5;

/** Knows every buffer by a name, and has the service manager keep a copy of its descriptor under that name. */
export class SystemdFdStore implements FdStore {
  readonly #options: SystemdFdStoreOptions;
  /** By descriptor. */
  readonly #entries = new Map<number, Entry>();
  readonly #names: () => string;
  readonly #taken = new Set<string>();
  #copies = 0;
  #full = false;
  #manager: ServiceManager | undefined;

  constructor(options: SystemdFdStoreOptions) {
    this.#options = options;
    this.#manager = options.manager;
    this.#names = newNames((name) => this.#taken.has(name));
  }

  async deposit(deposits: readonly Deposit[]): Promise<void> {
    const entries = deposits.map(({ fd, origin, size, bytes }): readonly [number, Entry] => {
      const name = this.#names();
      this.#taken.add(name);
      const record = { name, inode: this.#options.inode(fd), origin, size, bytes };
      this.#options.journal.add({ kind: 'made', buffer: record });
      const entry: Entry = { record, copies: 0 };
      this.#entries.set(fd, entry);
      return [fd, entry];
    });
    this.#options.journal.flush();
    if (this.#manager === undefined) return;
    const room = this.#options.capacity - this.#copies;
    if (entries.length > room && !this.#full)
      this.#options.log.warn(
        { event: 'store-full', capacity: this.#options.capacity },
        'the service manager keeps no more descriptors: what is made from now on will not survive a crash',
      );
    this.#full = entries.length > room;
    await this.#store(entries.slice(0, Math.max(room, 0)), this.#manager);
  }

  ours(fd: number): number | undefined {
    const entry = this.#entries.get(fd);
    if (entry === undefined) return 1;
    return entry.copies === undefined ? undefined : 1 + entry.copies;
  }

  forget(fd: number): void {
    const entry = this.#entries.get(fd);
    if (entry === undefined) return;
    this.#entries.delete(fd);
    this.#options.journal.add({ kind: 'gone', name: entry.record.name });
    if (entry.copies === 0) this.#taken.delete(entry.record.name);
    else void this.#remove(entry);
  }

  /**
   * Knows a buffer of an earlier start.
   * @param copies that the manager has of it
   */
  adopt(fd: number, record: BufferRecord, copies: 0 | 1): void {
    this.#entries.set(fd, { record, copies });
    this.#taken.add(record.name);
    this.#copies += copies;
  }

  /** Has the manager drop a copy that no record names any more. */
  discard(name: string): void {
    this.#taken.add(name);
    void this.#say(fdStoreRemoval(name)).then(() => this.#taken.delete(name));
  }

  nameOf(fd: number): string | undefined {
    return this.#entries.get(fd)?.record.name;
  }

  /** Has the manager drop every copy. */
  async discardAll(): Promise<void> {
    for (const { record, copies } of this.#entries.values())
      if (copies !== 0) await this.#say(fdStoreRemoval(record.name));
  }

  contents(): readonly NamedFd[] {
    return [...this.#entries].map(([number, { record }]) => ({ number, name: record.name }));
  }

  /** What makes a later start know every buffer, bit by bit. */
  *currentRecords(): Iterable<readonly StateRecord[]> {
    for (const { record } of this.#entries.values()) yield [{ kind: 'made', buffer: record }];
  }

  /** Stores copies, and waits until it is known whether they are there. No client has the buffers yet. */
  async #store(entries: readonly (readonly [number, Entry])[], manager: ServiceManager): Promise<void> {
    if (entries.length === 0) return;
    this.#copies += entries.length;
    for (const [, entry] of entries) entry.copies = undefined;
    for (const [fd, entry] of entries)
      await this.#say(`FDSTORE=1\nFDPOLL=0\nFDNAME=${entry.record.name}`, [{ number: fd }]);
    const done = this.#barrier(manager);
    const isKnown = await within(STORE_TIMEOUT_MS, done, this.#options.later);
    if (isKnown) for (const [fd, entry] of entries) this.#settle(entry, this.#isKept(fd, entry));
    else void this.#takeBack(entries, done);
  }

  /** A manager that does not answer may have the copies or not: it is to drop them, and then it has not. */
  async #takeBack(entries: readonly (readonly [number, Entry])[], answered: Promise<void>): Promise<void> {
    this.#options.log.warn(
      { event: 'manager-slow' },
      'the service manager does not answer: some buffers will not survive a crash',
    );
    await answered;
    const isThere = ([fd, entry]: readonly [number, Entry]): boolean => this.#entries.get(fd) === entry;
    for (const [, { record }] of entries.filter(isThere)) await this.#say(fdStoreRemoval(record.name));
    if (this.#manager !== undefined) await this.#barrier(this.#manager);
    for (const [, entry] of entries.filter(isThere)) this.#settle(entry, false);
  }

  #settle(entry: Entry, isKept: boolean): void {
    entry.copies = isKept ? 1 : 0;
    if (!isKept) this.#copies -= 1;
  }

  /** A store that is full, and a manager that knows no such thing, say nothing: but the copy counts as a reference. */
  #isKept(fd: number, { record }: Entry): boolean {
    if (this.#manager === undefined) return false;
    if (!record.origin.countsReferences) return true;
    try {
      return this.#options.references(fd) > 1;
    } catch {
      // As long as it cannot be told, two references are no sign that a client has one.
      return true;
    }
  }

  async #remove(entry: Entry): Promise<void> {
    await this.#say(fdStoreRemoval(entry.record.name));
    this.#copies -= 1;
    // What comes later under that name is put away after this is removed: the manager reads in order.
    this.#taken.delete(entry.record.name);
  }

  /** Says something to the manager, as soon as it has room. */
  async #say(text: string, fds: readonly Pick<NamedFd, 'number'>[] = []): Promise<void> {
    while (!this.#try((manager) => manager.send(text, fds))) await pause(RETRY_DELAY_MS, this.#options.later);
  }

  async #barrier(manager: ServiceManager): Promise<void> {
    let done: Promise<void> | undefined;
    while (!this.#try(() => (done = manager.barrier()) !== undefined))
      await pause(RETRY_DELAY_MS, this.#options.later);
    await done;
  }

  /** @returns true as well when there is no manager any more */
  #try(attempt: (manager: ServiceManager) => boolean): boolean {
    if (this.#manager === undefined) return true;
    try {
      return attempt(this.#manager);
    } catch (err) {
      this.#options.log.warn(
        { event: 'manager-gone', err },
        'the service manager is gone: nothing that is made now survives a crash',
      );
      this.#manager = undefined;
      return true;
    }
  }
}

/** What a descriptor's name is made of: systemd takes all but `:` and control characters, and these are safe everywhere. */
const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_';

/** Letters in a name: all names together come in one string of the environment, which has 128 KiB at most. */
const NAME_LETTERS = 3;

/**
 * Short names, one after the other, so that one that became free is not used again soon.
 * @param taken whether a name is in use
 */
function newNames(taken: (name: string) => boolean): () => string {
  const all = LETTERS.length ** NAME_LETTERS;
  let next = 0;
  return () => {
    for (let tries = 0; tries < all; tries += 1) {
      const name = nameOf(next);
      next = (next + 1) % all;
      if (!taken(name)) return name;
    }
    throw new RangeError('every name is taken');
  };
}

function nameOf(index: number): string {
  let rest = index;
  let name = '';
  for (let i = 0; i < NAME_LETTERS; i += 1) {
    name += LETTERS[rest % LETTERS.length] ?? '';
    rest = Math.floor(rest / LETTERS.length);
  }
  return name;
}
