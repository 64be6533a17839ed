import { FairQueue } from '../fair-queue.js';
import type { Frame } from './framer.js';

/** Milliseconds of calls that are handled before others get their turn, of the two that nothing blocks the event loop for. */
const TURN_MS = 1;
/** Bytes that a waiting call costs beside its body. */
const CALL_OVERHEAD_BYTES = 1024;
/** Bytes from which on a call is heavy: several times what the programs of a desktop ask, and decoded in a tenth of a millisecond. */
const HEAVY_BYTES = 8192;
/** Bytes of one sender's waiting calls beyond which its heavy ones are refused: thirty of the largest that are valid. */
const MAX_SENDER_BYTES = 2 ** 20;
/** Bytes of waiting calls at which heavy ones are refused; at which no more are read; and at which they are read again. */
const CROWDED_BYTES = 4 * 2 ** 20;
const FULL_BYTES = 8 * 2 ** 20;
const RESUME_BYTES = 4 * 2 ** 20;

/** Bytes of waiting calls from which on there may be more behind them in the bus, which it sends as there is room. */
const FLOOD_BYTES = 2 ** 17;
/** Milliseconds without a heavy call after which no more of a flood are expected. */
const QUIET_MS = 2;
/** Milliseconds after which one heavy call is handled all the same. */
const STARVED_MS = 20;

/** What is done with calls. None of it may throw. */
export interface CallHandler {
  handle(frame: Frame): void;
  /** Answers a call that there is no room for. */
  refuse(frame: Frame): void;
  /** There is room again after there was little. */
  room(): void;
  /** Answers pile up, so more of them would not help; `resume` is called when they do not any more. */
  readonly congested: boolean;
}

/**
 * Has calls handled as they come, until they take too long: then they wait, and every sender's turn comes after one call
 * of each other. So a sender that asks for a thousand things, or for heavy ones, is the one that waits for them.
 *
 * A sender whose next call is heavy comes after all others, and no heavy call is handled while more are coming in: behind
 * them, in the bus, is what other senders ask.
 */
export class CallQueue {
  readonly #handler: CallHandler;
  readonly #clock: () => number;
  readonly #waiting = new FairQueue<Frame>(HEAVY_BYTES);
  /** Time at which the share of this turn of the event loop is used. */
  #end = 0;
  #isFirst = true;
  /** Heavy calls came since some were last looked at. */
  #isComing = false;
  /** Times at which a heavy call came last, and at which one was last handled, or began to wait alone. */
  #came = 0;
  #handled = 0;
  #next: NodeJS.Immediate | undefined;

  /** @param clock milliseconds that never go back */
  constructor(clock: () => number, handler: CallHandler) {
    this.#handler = handler;
    this.#clock = clock;
  }

  /** More was read, in another turn of the event loop. */
  begin(): void {
    this.#isFirst = true;
  }

  /** Calls wait, so that what comes now only is kept. */
  get waiting(): boolean {
    return !this.#waiting.empty;
  }

  /** Without those who are held: what they wait for may be behind what is read next. */
  get full(): boolean {
    return this.#waiting.readyBytes > FULL_BYTES;
  }

  /**
   * Takes a call whose body stays as it is until this returns.
   * @returns whether it was answered, and not only kept
   */
  take(frame: Frame): boolean {
    const { header, body, fds } = frame;
    const bytes = CALL_OVERHEAD_BYTES + (body?.length ?? 0);
    const isHeavy = bytes >= HEAVY_BYTES;
    // A call that brings descriptors never waits, so that they do not pile up.
    const sender = header.sender ?? '';
    const mayGoOn = !isHeavy && this.#waiting.empty && !this.#waiting.isHeld(sender) && this.#mayGoOn();
    if (fds.length > 0 || mayGoOn) {
      this.#handler.handle(frame);
      return true;
    }
    if (isHeavy) this.#comes();
    const isTooMuch =
      this.#waiting.bytes > CROWDED_BYTES || this.#waiting.bytesOf(sender) + bytes > MAX_SENDER_BYTES;
    if ((isHeavy && isTooMuch) || (this.#waiting.bytes > FULL_BYTES && !this.full)) {
      this.#handler.refuse(frame);
      return true;
    }
    const kept = body === undefined ? { header, fds } : { header, body: Buffer.from(body), fds };
    this.#waiting.add(sender, kept, bytes);
    if (this.waiting) this.#later();
    return false;
  }

  /** Keeps what comes of a sender until something settled, which never fails. */
  hold(sender: string, until: Promise<void>): void {
    this.#waiting.hold(sender);
    void until.then(() => {
      this.#waiting.release(sender);
      this.resume();
    });
  }

  /** Answers do not pile up any more. */
  resume(): void {
    if (this.waiting) this.#later();
  }

  /** No sender is left to be answered. */
  left(sender: string): void {
    this.#waiting.drop(sender);
  }

  close(): void {
    clearImmediate(this.#next);
    this.#waiting.clear();
  }

  #mayGoOn(): boolean {
    const now = this.#clock();
    if (this.#isFirst) this.#end = now + TURN_MS;
    this.#isFirst = false;
    return now < this.#end && !this.#handler.congested;
  }

  #later(): void {
    this.#next ??= setImmediate(() => {
      this.#next = undefined;
      this.#serve();
    });
  }

  #serve(): void {
    const wasFull = this.#waiting.readyBytes > RESUME_BYTES;
    const begin = this.#clock();
    let [now, isLight] = [begin, false];
    while (now < begin + TURN_MS && !this.#handler.congested && this.#mayHand(now)) {
      isLight = this.#waiting.anyLight;
      if (!isLight) this.#handled = now;
      this.#hand(this.#waiting.next());
      now = this.#clock();
    }
    // Where light ones took all the time, so that a sender's one heavy call comes to its end, too.
    if (now >= begin + TURN_MS && isLight && !this.#handler.congested && this.#mayBeHeavy(now)) {
      this.#handled = now;
      this.#hand(this.#waiting.nextHeavy());
    }
    this.#isComing = false;
    if (this.waiting && !this.#handler.congested) this.#later();
    if (wasFull && this.#waiting.readyBytes <= RESUME_BYTES) this.#handler.room();
  }

  #mayHand(now: number): boolean {
    return this.#waiting.anyLight || (this.waiting && this.#mayBeHeavy(now));
  }

  /** Notes that a heavy call came. */
  #comes(): void {
    this.#came = this.#clock();
    if (!this.waiting) this.#handled = this.#came;
    this.#isComing = true;
  }

  #mayBeHeavy(now: number): boolean {
    if (now - this.#handled > STARVED_MS) return true;
    return !this.#isComing && (this.#waiting.bytes < FLOOD_BYTES || now - this.#came > QUIET_MS);
  }

  #hand(frame: Frame | undefined): void {
    if (frame !== undefined) this.#handler.handle(frame);
  }
}
