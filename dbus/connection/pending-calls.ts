import { DRIVER } from './driver.js';
import { BusTimeoutError, type BusClosedError } from './bus-types.js';

export interface PendingCall {
  readonly to: string;
  /** Names the call in the error. */
  readonly what: string;
  /** Milliseconds; `Infinity` waits for ever. */
  readonly timeout: number;
}

/** The ways to end a call. */
export interface Outcome<T> {
  readonly resolve: (answer: T) => void;
  readonly reject: (reason: unknown) => void;
}

interface Waiting<T> extends Outcome<T> {
  readonly to: string;
  readonly timer: NodeJS.Timeout | undefined;
}

/** Longest delay of a Node timer, in milliseconds; a longer one would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Calls that wait for their answer, by serial. Each ends exactly once: answered, timed out, or with the connection. */
export class PendingCalls<T> {
  readonly #calls = new Map<number, Waiting<T>>();

  has(serial: number): boolean {
    return this.#calls.has(serial);
  }

  /** @throws {RangeError} when the timeout is negative or no number; @throws {BusTimeoutError} */
  async add(serial: number, { to, what, timeout }: PendingCall): Promise<T> {
    if (!(timeout >= 0)) throw new RangeError(`${timeout} ms is no timeout`);
    return new Promise((resolve, reject) => {
      const expire = (): void => {
        this.#remove(serial);
        reject(new BusTimeoutError(`no answer to ${what} within ${timeout} ms`));
      };
      const timer = timeout > MAX_TIMER_MS ? undefined : setTimeout(expire, timeout);
      this.#calls.set(serial, { to, resolve, reject, timer });
    });
  }

  /**
   * Ends the waiting for an answer that came.
   * @param from who answered: serials can be guessed, so a stranger's answer is none
   * @returns undefined when no call waits for it, or no longer
   */
  take(serial: number, from: string | undefined): Outcome<T> | undefined {
    const call = this.#calls.get(serial);
    if (call === undefined || !mayAnswer(from, call.to)) return undefined;
    return this.#remove(serial);
  }

  /** Ends the waiting for an answer that cannot come. */
  reject(serial: number, reason: unknown): void {
    this.#remove(serial)?.reject(reason);
  }

  rejectAll(error: BusClosedError): void {
    for (const serial of [...this.#calls.keys()]) this.reject(serial, error);
  }

  #remove(serial: number): Waiting<T> | undefined {
    const call = this.#calls.get(serial);
    this.#calls.delete(serial);
    clearTimeout(call?.timer);
    return call;
  }
}

/**
 * The bus answers for a peer that cannot; behind a well-known name any connection may be. Without a sender it is the other
 * end of the socket: a bus names who sent what it passes on, and the proxy of a sandbox does not name itself.
 */
function mayAnswer(from: string | undefined, to: string): boolean {
  const known = to.startsWith(':') || to === DRIVER;
  return !known || from === undefined || from === to || from === DRIVER;
}

/**
 * Replies that were sent, so that their sender can be told when the bus sends an error back for one. A bus reports
 * nothing about those that arrive, and deals with messages in order: only the latest are remembered.
 */
export class SentReplies {
  readonly #capacity: number;
  readonly #undelivered = new Map<number, () => void>();

  constructor(capacity = 1024) {
    this.#capacity = capacity;
  }

  /** @param serial of the reply */
  add(serial: number, undelivered: () => void): void {
    this.#undelivered.set(serial, undelivered);
    if (this.#undelivered.size <= this.#capacity) return;
    const [oldest] = this.#undelivered.keys();
    if (oldest !== undefined) this.#undelivered.delete(oldest);
  }

  /** What to call when the bus refused that reply. */
  take(serial: number): (() => void) | undefined {
    const undelivered = this.#undelivered.get(serial);
    this.#undelivered.delete(serial);
    return undelivered;
  }
}
