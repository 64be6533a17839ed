import { closeAll, type OwnedFd } from '../owned-fd.js';
import { readFixed, type FixedHeader, type Header } from './header-reader.js';
import { FIXED_LENGTH } from './header.js';
import { HeaderCache } from './header-cache.js';
import { MAX_HEADER_BYTES } from './limits.js';
import { skim, type Skim } from './header-skim.js';
import { WireError } from './wire-error.js';

/** One message, still marshalled. */
export interface Frame {
  readonly header: Header;
  /** Valid until the next `next` or `push`; absent when it was longer than is taken, and skipped. */
  readonly body?: Buffer;
  /** Exactly those of this message. The receiver's from now on. */
  readonly fds: readonly OwnedFd[];
}

/** Fds that came in one read, and the position in the stream where the bytes of that read end. */
interface Batch {
  readonly fds: OwnedFd[];
  readonly end: number;
}

/** A buffer for messages in pieces that grew beyond this many bytes is let go. */
const MAX_KEPT_BYTES = 65_536;
const NOTHING: Buffer = Buffer.alloc(0);
const NO_FDS: readonly OwnedFd[] = [];

/**
 * Cuts the stream into messages, each with exactly the fds that its header claims. Fds travel with a byte of their
 * message, so those that no message has claimed by the end of the read they came in belong to none: then no later
 * message could be trusted to get its own, and the stream is given up.
 */
export class Framer {
  readonly #bodyLimit: (type: number) => number;
  readonly #headers: HeaderCache;
  readonly #from: string | undefined;
  /** The bytes of the last `push`, and how many of them are used. */
  #chunk: Buffer = NOTHING;
  #used = 0;
  /** The start of a message that came in several reads. */
  #partial: Buffer = NOTHING;
  #partialLength = 0;
  /** Where the bytes stand that were asked for last. */
  #source: Buffer = NOTHING;
  #start = 0;
  #batches: Batch[] = [];
  /** Where the next unused byte stands in the stream. */
  #position = 0;
  #fixed: FixedHeader | undefined;
  #header: Header | undefined;
  /** The reading of a header that is too long to be stored. */
  #skim: { readonly steps: Skim; step: ReturnType<Skim['next']> } | undefined;
  /** Where the message of that header ends. */
  #longEnd = 0;
  /** Bytes to come that are to be dropped. */
  #skip = 0;
  #dropFds = false;
  /** Where the last read ends whose fds were lost. */
  #lostUntil = 0;

  /**
   * @param bodyLimit longest body, in bytes, that is taken of a message type
   * @param headers that other streams may share
   * @param from who sends everything here; without it, each message says who sent it
   */
  constructor(bodyLimit: (type: number) => number, headers = new HeaderCache(), from?: string) {
    this.#bodyLimit = bodyLimit;
    this.#headers = headers;
    this.#from = from;
  }

  /**
   * Takes what one read returned, once `next` said that it has no more.
   * @param lost fds came with these bytes, and are gone: who claims them has none, and nothing else changes
   * @param bytes not copied until `next` returns undefined: leave them alone until then
   */
  push(bytes: Buffer, fds: readonly OwnedFd[], lost = false): void {
    this.#chunk = bytes;
    this.#used = 0;
    const end = this.#position + this.#partialLength + bytes.length;
    if (lost) this.#lostUntil = end;
    if (fds.length > 0) this.#batches.push({ fds: [...fds], end });
  }

  /** Copies what is left of the bytes that were pushed, which their owner needs for others before `next` is done. */
  keep(): void {
    this.#chunk = Buffer.from(this.#chunk.subarray(this.#used));
    this.#used = 0;
  }

  /** The next complete message. @throws {WireError} when the stream cannot be followed further */
  next(): Frame | undefined {
    for (;;) {
      if (!this.#skipped()) return undefined;
      const fixed = this.#readFixed();
      if (fixed === undefined) return undefined;
      if (fixed.headerLength <= MAX_HEADER_BYTES) return this.#whole(fixed);
      const long = this.#passOver(fixed);
      if (long !== 'unknown') return long;
    }
  }

  #whole(fixed: FixedHeader): Frame | undefined {
    const header = this.#readHeader(fixed);
    if (header === undefined) return undefined;
    const { headerLength, bodyLength } = fixed;
    if (bodyLength > this.#bodyLimit(header.type)) {
      this.#consume(headerLength);
      this.#skip = bodyLength;
      return this.#finish(header, this.#position + bodyLength);
    }
    const length = headerLength + bodyLength;
    if (!this.#has(length)) return undefined;
    const body = this.#source.subarray(this.#start + headerLength, this.#start + length);
    this.#consume(length);
    const { fds } = this.#finish(header, this.#position);
    return { header, body, fds };
  }

  /** Closes the fds that no message took. */
  dispose(): void {
    const left = this.#batches.flatMap((batch) => batch.fds);
    this.#batches = [];
    closeAll(left);
  }

  #readFixed(): FixedHeader | undefined {
    if (this.#fixed === undefined && this.#has(FIXED_LENGTH))
      this.#fixed = readFixed(this.#source, this.#start);
    return this.#fixed;
  }

  #readHeader(fixed: FixedHeader): Header | undefined {
    if (this.#header === undefined && this.#has(fixed.headerLength))
      this.#header = this.#headers.read(fixed, this.#source, this.#start, this.#from);
    return this.#header;
  }

  /**
   * Passes over a message whose header is too long to be stored, once it is known who sent it.
   * @returns undefined when more has to come, and `unknown` when the header does not tell
   */
  #passOver(fixed: FixedHeader): Frame | 'unknown' | undefined {
    if (this.#skim === undefined) {
      this.#longEnd = this.#position + fixed.headerLength + fixed.bodyLength;
      this.#consume(FIXED_LENGTH);
      const steps = skim(fixed);
      this.#skim = { steps, step: steps.next() };
    }
    const { steps } = this.#skim;
    let { step } = this.#skim;
    while (step.done !== true) {
      if (!this.#skipped()) return undefined;
      if ('skip' in step.value) {
        this.#skip = step.value.skip;
        step = steps.next(NOTHING);
      } else {
        const { read } = step.value;
        if (!this.#has(read)) return undefined;
        const bytes = this.#source.subarray(this.#start, this.#start + read);
        this.#consume(read);
        step = steps.next(bytes);
      }
      this.#skim.step = step;
    }
    this.#skim = undefined;
    // What the last step passes over is in this, too.
    this.#skip = this.#longEnd - this.#position;
    const header = step.value;
    if (header !== undefined)
      return this.#finish(
        this.#from === undefined ? header : { ...header, sender: this.#from },
        this.#longEnd,
      );
    this.#fixed = undefined;
    this.#dropFds = true;
    return 'unknown';
  }

  #finish(header: Header, end: number): Frame {
    const { headerLength = 0, bodyLength = 0 } = this.#fixed ?? {};
    this.#fixed = undefined;
    this.#header = undefined;
    return { header, fds: this.#claim(header.unixFds, end - headerLength - bodyLength, end) };
  }

  #claim(count: number, start: number, end: number): readonly OwnedFd[] {
    if (count === 0 && this.#batches.length === 0) return NO_FDS;
    const available = this.#batches.reduce((sum, batch) => sum + batch.fds.length, 0);
    const due = this.#batches.filter((batch) => batch.end <= end);
    const dueFds = due.reduce((sum, batch) => sum + batch.fds.length, 0);
    if (count > available && start < this.#lostUntil) return NO_FDS;
    if (count > available) throw new WireError('a message came without its file descriptors', 'descriptors');
    if (count < dueFds) throw new WireError('file descriptors came that no message claims', 'descriptors');
    const claimed: OwnedFd[] = [];
    for (const batch of this.#batches) claimed.push(...batch.fds.splice(0, count - claimed.length));
    this.#batches = this.#batches.filter((batch) => batch.fds.length > 0);
    return claimed;
  }

  /** @returns whether what is to be skipped has come, and is behind us */
  #skipped(): boolean {
    if (this.#skip === 0 && !this.#dropFds) return true;
    const count = Math.min(this.#skip, this.#chunk.length - this.#used);
    this.#used += count;
    this.#position += count;
    this.#skip -= count;
    if (this.#skip > 0) return false;
    if (this.#dropFds) this.#dropDue();
    return true;
  }

  /** Closes the fds of a message that was passed over without being read: those that came before its end. */
  #dropDue(): void {
    this.#dropFds = false;
    const due = this.#batches.filter((batch) => batch.end <= this.#position);
    this.#batches = this.#batches.filter((batch) => batch.end > this.#position);
    closeAll(due.flatMap((batch) => batch.fds));
  }

  /** Finds the first `length` unused bytes, in one piece. @returns whether there are so many */
  #has(length: number): boolean {
    if (this.#partialLength === 0 && this.#chunk.length - this.#used >= length) {
      this.#source = this.#chunk;
      this.#start = this.#used;
      return true;
    }
    this.#reserve(length);
    const end = this.#used + length - this.#partialLength;
    const copied = this.#chunk.copy(this.#partial, this.#partialLength, this.#used, end);
    this.#partialLength += copied;
    this.#used += copied;
    this.#source = this.#partial;
    this.#start = 0;
    return this.#partialLength >= length;
  }

  /** Grows step by step, so that a length that is only announced costs no memory. */
  #reserve(length: number): void {
    const needed = Math.min(length, this.#partialLength + this.#chunk.length - this.#used);
    if (needed <= this.#partial.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, Math.min(length, this.#partial.length * 2)));
    this.#partial.copy(larger, 0, 0, this.#partialLength);
    this.#partial = larger;
  }

  /** Drops what `has` found last. */
  #consume(length: number): void {
    this.#position += length;
    if (this.#partialLength === 0) {
      this.#used += length;
      return;
    }
    this.#partialLength = 0;
    if (this.#partial.length > MAX_KEPT_BYTES) this.#partial = NOTHING;
  }
}
