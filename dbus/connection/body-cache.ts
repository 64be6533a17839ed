import { BoundedCache, type CacheMemory } from '../bounded-cache.js';
import type { SignatureCache } from './signature-cache.js';
import { readValues, type ReadLimits } from './reader.js';
import type { WireValue } from './bus-types.js';

/** Bodies that are remembered: about one for each request that is in use. */
const MAX_BODIES = 256;
/** Bytes of the longest body that is remembered, and of the longest signature that is read as quickly as looked up. */
const MAX_BODY_BYTES = 2048;
const MAX_SIMPLE_CHARS = 2;

/**
 * Bytes of memory behind a body: itself, its values, and what is remembered for as long as it is, as the decision of a
 * request. Measured with Node.js 20: 10 for each byte, 1 KiB beside, both without the decision.
 */
const FACTOR = 16;
const ENTRY_BYTES = 2048;

/** Reads bodies. One that came before is the same value again, so what is made of it can be remembered too. */
export class BodyCache {
  readonly #signatures: SignatureCache;
  readonly #cache: BoundedCache<string, readonly WireValue[]>;

  constructor(signatures: SignatureCache, memory?: CacheMemory) {
    this.#signatures = signatures;
    this.#cache = new BoundedCache(MAX_BODIES, memory, ({ length }) => ENTRY_BYTES + length * FACTOR);
  }

  /** @throws {WireError} as `readBody` does */
  read(body: Buffer, little: boolean, signature: string, limits: ReadLimits): readonly WireValue[] {
    const types = this.#signatures.parse(signature);
    const isKept =
      little && limits.fds === 0 && body.length <= MAX_BODY_BYTES && signature.length > MAX_SIMPLE_CHARS;
    if (!isKept) return readValues(body, little, types, limits);
    const key = `${signature} ${body.toString('latin1')}`;
    const known = this.#cache.get(key);
    if (known !== undefined) return known;
    const values = readValues(body, little, types, limits);
    this.#cache.set(key, values);
    return values;
  }
}
