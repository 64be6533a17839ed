import { Turns } from '../turns.js';
import type { Frame } from './framer.js';

/** Milliseconds of calls that are handled before others get their turn, of the two that nothing blocks the event loop for. */
const SHARE = 1;
/** Bytes that a waiting call costs beside its body. */
const BESIDES = 1024;
/** Bytes of waiting calls at which no more are read, and at which they are read again. */
const FULL = 8 * 2 ** 20;
const ROOM = 4 * 2 ** 20;

/**
 * Has calls handled as they come, until they take too long: then they wait, and every sender's turn comes after one call
 * of each other. So whoever asks for a thousand things, or for heavy ones, is who waits for them.
 */
export class CallQueue {
  readonly #handle: (frame: Frame) => void;
  readonly #room: () => void;
  readonly #waiting = new Turns<Frame>();
  /** Time at which the share of this turn of the event loop is used. */
  #end = 0;
  #isFirst = true;
  #next: NodeJS.Immediate | undefined;

  /** @param handle must not throw @param room called when there is some again after there was little */
  constructor(handle: (frame: Frame) => void, room: () => void) {
    this.#handle = handle;
    this.#room = room;
  }

  /** More was read, in another turn of the event loop. */
  begin(): void {
    this.#isFirst = true;
  }

  get full(): boolean {
    return this.#waiting.bytes > FULL;
  }

  /**
   * Takes a call whose body stays as it is until this returns.
   * @returns whether it was handled, and not only kept
   */
  take(frame: Frame): boolean {
    // A call that brings descriptors never waits, so that they do not pile up.
    if (frame.fds.length > 0 || (this.#waiting.empty && this.#mayGoOn())) {
      this.#handle(frame);
      return true;
    }
    const { header, body, fds } = frame;
    const kept = body === undefined ? { header, fds } : { header, body: Buffer.from(body), fds };
    this.#waiting.add(header.sender ?? '', kept, BESIDES + (body?.length ?? 0));
    this.#later();
    return false;
  }

  /** Nobody is there any more to be answered. */
  left(sender: string): void {
    this.#waiting.drop(sender);
  }

  close(): void {
    clearImmediate(this.#next);
    this.#waiting.clear();
  }

  #mayGoOn(): boolean {
    const now = performance.now();
    if (this.#isFirst) this.#end = now + SHARE;
    this.#isFirst = false;
    return now < this.#end;
  }

  #later(): void {
    this.#next ??= setImmediate(() => {
      this.#next = undefined;
      this.#serve();
    });
  }

  #serve(): void {
    const wasFull = this.#waiting.bytes > ROOM;
    const end = performance.now() + SHARE;
    do {
      const frame = this.#waiting.next();
      if (frame !== undefined) this.#handle(frame);
    } while (!this.#waiting.empty && performance.now() < end);
    if (!this.#waiting.empty) this.#later();
    if (wasFull && this.#waiting.bytes <= ROOM) this.#room();
  }
}
