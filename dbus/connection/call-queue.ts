import type { Account, CallAccounts } from '../accounts/account.js';
import { FairQueue } from '../accounts/fair-queue.js';
import type { Frame } from './framer.js';

/** Milliseconds of calls that are handled before others get their turn, of the two that nothing blocks the event loop for. */
const TURN_MS = 1;
/** Bytes that a waiting call costs beside its body. */
const CALL_OVERHEAD_BYTES = 1024;
/** Bytes of waiting calls of all users together, but for the administrator's. */
const MAX_WAITING_BYTES = 8 * 2 ** 20;

/** Where calls come from, and what is done with them. None of it may throw. */
export interface CallSource {
  /** Of a channel, whose calls wait in a line of their own; on the bus, each sender's do. */
  readonly line?: string;
  handle(frame: Frame): void;
  /** Answers a call that there is no room for. */
  refuse(frame: Frame): void;
  /** Answers pile up, so more of them would not help; `resume` is called when they do not any more. */
  readonly congested: boolean;
}

/** A call that waits. */
interface Kept {
  readonly frame: Frame;
  readonly source: CallSource;
}

/**
 * Has calls handled as they come, until they take too long: then they wait, and turns go by user and connection, to the
 * one whose calls took the least time. So a user that asks for a thousand things, or for heavy ones, is the one that waits.
 *
 * Reading never stops for what waits, because behind it, in the bus, is what others ask: what a user has waiting beyond
 * its share is refused at once, and where all have too much, what came last of the user with the most. A connection has at
 * most as much as is left of its user's share.
 */
export class CallQueue {
  readonly #bus: Pick<CallSource, 'congested'>;
  readonly #clock: () => number;
  readonly #waiting = new FairQueue<Kept>();
  /** Lines of channels whose answers pile up. */
  readonly #paused = new Set<string>();
  #accounts: CallAccounts;
  /** Time at which the share of this turn of the event loop is used. */
  #end = 0;
  #isFirst = true;
  #turn: NodeJS.Immediate | undefined;
  #next: NodeJS.Immediate | undefined;
  #followed: Disposable | undefined;

  /**
   * @param clock milliseconds that never go back
   * @param bus while whose answers pile up nothing has a turn
   */
  constructor(clock: () => number, bus: Pick<CallSource, 'congested'>, accounts: CallAccounts) {
    this.#bus = bus;
    this.#clock = clock;
    this.#accounts = accounts;
  }

  /** Asks another from now on whose connections are. */
  follow(accounts: CallAccounts): void {
    this.#accounts = accounts;
    this.#followed?.[Symbol.dispose]();
    // A bus that does not read what it is sent is no fault of this process.
    this.#followed = accounts.progress?.follow(() => this.waiting && !this.#bus.congested);
  }

  /** So many bytes went to a connection. */
  sent(receiver: string, bytes: number): void {
    this.#accounts.sent?.(receiver, bytes);
  }

  /** More was read. However many sockets that were, they share what calls may take in a turn of the event loop. */
  begin(): void {
    if (this.#turn !== undefined) return;
    this.#isFirst = true;
    this.#turn = setImmediate(() => {
      this.#turn = undefined;
    });
  }

  /** Calls wait, so that what comes now only is kept. */
  get waiting(): boolean {
    return !this.#waiting.empty;
  }

  /**
   * Takes a call whose body stays as it is until this returns.
   * @param source where it came from
   * @returns what became of it
   */
  take(frame: Frame, source: CallSource): 'handled' | 'kept' | 'refused' {
    const { header, body, fds } = frame;
    const { sender = '' } = header;
    const line = source.line ?? sender;
    const account = this.#accountOf(sender);
    // One that brings descriptors never waits, so that they do not pile up.
    const mayGoOn = this.#waiting.empty && !this.#waiting.isHeld(line) && this.#mayGoOn();
    if (fds.length > 0 || mayGoOn) {
      this.#waiting.serveAtOnce(account, this.#handle({ frame, source }));
      return 'handled';
    }
    const bytes = CALL_OVERHEAD_BYTES + (body?.length ?? 0);
    if (!this.#fitsShare(account, line, bytes) || !this.#makeRoom(account, bytes)) {
      this.#refuse(account, { frame, source });
      return 'refused';
    }
    const kept = body === undefined ? { header, fds } : { header, body: Buffer.from(body), fds };
    this.#waiting.add(account, line, { frame: kept, source }, bytes);
    if (this.waiting) this.#later();
    return 'kept';
  }

  /**
   * Keeps what comes of a sender until something settled, whether it failed or not.
   * @param line of the channel, where it is one
   */
  hold(sender: string, until: Promise<void>, line = sender): void {
    this.#waiting.hold(this.#accountOf(sender), line);
    const release = (): void => {
      this.#waiting.release(this.#accountOf(sender), line);
      this.resume();
    };
    void until.then(release, release);
  }

  /** Answers do not pile up any more: on the bus, or on the channel of a line. */
  resume(sender?: string, line?: string): void {
    if (sender !== undefined && line !== undefined && this.#paused.delete(line))
      this.#waiting.release(this.#accountOf(sender), line);
    if (this.waiting) this.#later();
  }

  /** No sender, or no channel, is left to be answered. */
  left(line: string): void {
    this.#paused.delete(line);
    this.#waiting.drop(line);
  }

  close(): void {
    clearImmediate(this.#next);
    clearImmediate(this.#turn);
    this.#followed?.[Symbol.dispose]();
    this.#waiting.clear();
  }

  #accountOf(sender: string): Account {
    return this.#accounts.ofSender(sender) ?? this.#accounts.strangers;
  }

  /**
   * Strangers may be of many users: one with little that waits takes the room of the one with the most, so that none of
   * them keeps the others out.
   */
  #fitsShare(account: Account, line: string, bytes: number): boolean {
    while (bytes > this.#roomFor(account, line)) {
      if (account !== this.#accounts.strangers) return false;
      const last = this.#waiting.takeBack(account, this.#waiting.bytesOfRequester(line) + bytes);
      if (last === undefined) return false;
      this.#refuse(account, last);
    }
    return true;
  }

  #roomFor(account: Account, line: string): number {
    const ofUser = account.share.waitingBytes - this.#waiting.bytesOf(account);
    return ofUser - this.#waiting.bytesOfRequester(line);
  }

  /** Where all have too much, refuses what came last of the user with the most. @returns whether there is room now */
  #makeRoom(account: Account, bytes: number): boolean {
    if (account.isPrivileged) return true;
    while (this.#waiting.bytes + bytes > MAX_WAITING_BYTES) {
      const { largest } = this.#waiting;
      if (largest === undefined || largest === account) return false;
      const last = this.#waiting.takeBack(largest);
      if (last === undefined) return false;
      this.#refuse(largest, last);
    }
    return true;
  }

  #mayGoOn(): boolean {
    const now = this.#clock();
    if (this.#isFirst) this.#end = now + TURN_MS;
    this.#isFirst = false;
    return now < this.#end && !this.#bus.congested;
  }

  #later(): void {
    this.#next ??= setImmediate(() => {
      this.#next = undefined;
      this.#serve();
    });
  }

  #serve(): void {
    const end = this.#clock() + TURN_MS;
    while (this.#clock() < end && !this.#bus.congested) {
      const turn = this.#waiting.next();
      if (turn === undefined) return;
      turn.charge(this.#handle(turn.job));
    }
    if (this.waiting && !this.#bus.congested) this.#later();
  }

  /** One that does not read what the bus has for it is sent nothing more there. */
  #refuse(account: Account, { frame, source }: Kept): void {
    if (source.line !== undefined || !account.readsTooLittle) source.refuse(frame);
  }

  /** @returns milliseconds that it took */
  #handle({ frame, source }: Kept): number {
    const begin = this.#clock();
    source.handle(frame);
    this.#accounts.progress?.completed();
    if (source.line !== undefined && source.congested) this.#pause(source.line, frame);
    return this.#clock() - begin;
  }

  /** Gives a channel no turn until its answers have left. */
  #pause(line: string, { header: { sender = '' } }: Frame): void {
    if (this.#paused.has(line)) return;
    this.#paused.add(line);
    this.#waiting.hold(this.#accountOf(sender), line);
  }
}
