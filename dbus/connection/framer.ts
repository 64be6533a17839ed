import { closeAll, type OwnedFd } from '../owned-fd.js';
import { readFixed, type FixedHeader, type Header } from './header-reader.js';
import { FIXED_LENGTH } from './header.js';
import { KnownHeaders } from './known-headers.js';
import { MAX_HEADER } from './limits.js';
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
const KEEP = 65_536;
const NOTHING: Buffer = Buffer.alloc(0);
const NO_FDS: readonly OwnedFd[] = [];

/**
 * Cuts the stream into messages, each with exactly the fds that its header claims. Fds travel with a byte of their
 * message, so those that no message has claimed by the end of the read they came in belong to nobody: then no later
 * message could be trusted to get its own, and the stream is given up.
 */
export class Framer {
  readonly #bodyLimit: (type: number) => number;
  readonly #headers = new KnownHeaders();
  /** Bytes of the last `push` that are not used yet. */
  #chunk: Buffer = NOTHING;
  /** The start of a message that came in several reads. */
  #partial: Buffer = NOTHING;
  #partialLength = 0;
  #batches: Batch[] = [];
  /** Where the next unused byte stands in the stream. */
  #position = 0;
  #fixed: FixedHeader | undefined;
  #header: Header | undefined;
  /** Bytes to come that nobody wants. */
  #skip = 0;
  #dropFds = false;

  /** @param bodyLimit longest body, in bytes, that is taken of a message type */
  constructor(bodyLimit: (type: number) => number) {
    this.#bodyLimit = bodyLimit;
  }

  /**
   * Takes what one read returned, once `next` said that it has no more.
   * @param bytes not copied until `next` returns undefined: leave them alone until then
   */
  push(bytes: Buffer, fds: readonly OwnedFd[]): void {
    this.#chunk = bytes;
    const end = this.#position + this.#partialLength + bytes.length;
    if (fds.length > 0) this.#batches.push({ fds: [...fds], end });
  }

  /** The next complete message. @throws {WireError} when the stream cannot be followed further */
  next(): Frame | undefined {
    if (!this.#skipped()) return undefined;
    const header = this.#readHeader();
    if (header === undefined || this.#fixed === undefined) return undefined;
    const { headerLength, bodyLength } = this.#fixed;
    if (bodyLength > this.#bodyLimit(header.type)) {
      this.#consume(headerLength);
      this.#skip = bodyLength;
      return this.#finish(header, this.#position + bodyLength);
    }
    const message = this.#peek(headerLength + bodyLength);
    if (message === undefined) return undefined;
    this.#consume(message.length);
    const { fds } = this.#finish(header, this.#position);
    return { header, body: message.subarray(headerLength), fds };
  }

  /** Closes the fds that no message took. */
  dispose(): void {
    const left = this.#batches.flatMap((batch) => batch.fds);
    this.#batches = [];
    closeAll(left);
  }

  #readHeader(): Header | undefined {
    if (this.#header !== undefined) return this.#header;
    this.#fixed ??= this.#readFixed();
    if (this.#fixed === undefined) return undefined;
    const bytes = this.#peek(this.#fixed.headerLength);
    if (bytes !== undefined) this.#header = this.#headers.read(this.#fixed, bytes);
    return this.#header;
  }

  /** The start of the next message whose header is not too long; others are passed over. */
  #readFixed(): FixedHeader | undefined {
    for (;;) {
      const bytes = this.#peek(FIXED_LENGTH);
      if (bytes === undefined) return undefined;
      const fixed = readFixed(bytes);
      if (fixed.headerLength <= MAX_HEADER) return fixed;
      this.#consume(FIXED_LENGTH);
      this.#skip = fixed.headerLength - FIXED_LENGTH + fixed.bodyLength;
      this.#dropFds = true;
      if (!this.#skipped()) return undefined;
    }
  }

  #finish(header: Header, end: number): Frame {
    this.#fixed = undefined;
    this.#header = undefined;
    return { header, fds: this.#claim(header.unixFds, end) };
  }

  #claim(count: number, end: number): readonly OwnedFd[] {
    if (count === 0 && this.#batches.length === 0) return NO_FDS;
    const available = this.#batches.reduce((sum, batch) => sum + batch.fds.length, 0);
    const due = this.#batches.filter((batch) => batch.end <= end);
    const dueFds = due.reduce((sum, batch) => sum + batch.fds.length, 0);
    if (count > available) throw new WireError('a message came without its file descriptors');
    if (count < dueFds) throw new WireError('file descriptors came that no message claims');
    const claimed: OwnedFd[] = [];
    for (const batch of this.#batches) claimed.push(...batch.fds.splice(0, count - claimed.length));
    this.#batches = this.#batches.filter((batch) => batch.fds.length > 0);
    return claimed;
  }

  /** @returns whether what is to be skipped has come, and is behind us */
  #skipped(): boolean {
    if (this.#skip === 0 && !this.#dropFds) return true;
    const count = Math.min(this.#skip, this.#chunk.length);
    this.#chunk = this.#chunk.subarray(count);
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

  /** The first `length` unused bytes in one piece. */
  #peek(length: number): Buffer | undefined {
    if (this.#partialLength === 0 && this.#chunk.length >= length) return this.#chunk.subarray(0, length);
    this.#reserve(length);
    const copied = this.#chunk.copy(this.#partial, this.#partialLength, 0, length - this.#partialLength);
    this.#partialLength += copied;
    this.#chunk = this.#chunk.subarray(copied);
    return this.#partialLength < length ? undefined : this.#partial.subarray(0, length);
  }

  /** Grows step by step, so that a length that is only announced costs no memory. */
  #reserve(length: number): void {
    const needed = Math.min(length, this.#partialLength + this.#chunk.length);
    if (needed <= this.#partial.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, Math.min(length, this.#partial.length * 2)));
    this.#partial.copy(larger, 0, 0, this.#partialLength);
    this.#partial = larger;
  }

  /** Drops what `peek` returned last. */
  #consume(length: number): void {
    this.#position += length;
    if (this.#partialLength === 0) {
      this.#chunk = this.#chunk.subarray(length);
      return;
    }
    this.#partialLength = 0;
    if (this.#partial.length > KEEP) this.#partial = NOTHING;
  }
}
