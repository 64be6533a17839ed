import { BoundedCache, type CacheMemory } from '../bounded-cache.js';
import { readHeader, type FixedHeader, type Header } from './header-reader.js';
import { FIXED_LENGTH, MESSAGE_TYPE } from './header.js';

/** Headers that are remembered: about one for each client and method that is in use. */
const MAX_HEADERS = 1024;
/** Bytes of the longest header that is remembered. */
const MAX_HEADER_BYTES = 512;

/** Bytes of memory of a header beside its text, which it has twice. */
const ENTRY_BYTES = 512;

/**
 * Reads headers. A client's calls of one method differ in nothing but the fixed part, so that the fields of one that was
 * read before, and was without fault, are known by their bytes.
 */
export class HeaderCache {
  readonly #cache: BoundedCache<string, Header>;

  constructor(memory?: CacheMemory) {
    this.#cache = new BoundedCache(MAX_HEADERS, memory, ({ length }) => ENTRY_BYTES + 2 * length);
  }

  /**
   * @param start where in the bytes the message starts; the whole header follows
   * @param from who sent it, where that is known without the message, whatever the message says
   * @throws {WireError} as `readHeader` does
   */
  read(fixed: FixedHeader, bytes: Buffer, start: number, from?: string): Header {
    const header = this.#read(fixed, bytes, start, from);
    return from === undefined || header.sender === from ? header : { ...header, sender: from };
  }

  #read(fixed: FixedHeader, bytes: Buffer, start: number, from: string | undefined): Header {
    const end = start + fixed.headerLength;
    if (fixed.type !== MESSAGE_TYPE.call || !fixed.little || fixed.headerLength > MAX_HEADER_BYTES)
      return readHeader(fixed, bytes.subarray(start, end));
    const key = bytes.toString('latin1', start + FIXED_LENGTH, end);
    const known = this.#cache.get(key);
    const { flags, serial, bodyLength } = fixed;
    // Whether a signature is there counts only when there is a body.
    if (known !== undefined && (bodyLength === 0 || known.signature !== undefined))
      return {
        little: true,
        type: MESSAGE_TYPE.call,
        flags,
        serial,
        bodyLength,
        path: known.path,
        interface: known.interface,
        member: known.member,
        errorName: known.errorName,
        replySerial: known.replySerial,
        destination: known.destination,
        sender: from ?? known.sender,
        signature: known.signature,
        unixFds: known.unixFds,
      };
    const header = readHeader(fixed, bytes.subarray(start, end));
    if (header.fault === undefined) this.#cache.set(key, header);
    return header;
  }
}
