import { BoundedCache, type CacheMemory } from '../bounded-cache.js';
import { parseSignature, parseSingle, type Type } from './signature.js';

/** Signatures that are remembered: a connection sees the same few again and again. */
const MAX_SIGNATURES = 64;

/** Bytes of memory of an entry, and of each type in it. */
const ENTRY_BYTES = 256;
const TYPE_BYTES = 128;

/** Signatures with their types, parsed once while they are in use. */
export class SignatureCache {
  readonly #types: BoundedCache<string, readonly Type[]>;
  readonly #single: BoundedCache<string, Type>;

  constructor(memory?: CacheMemory) {
    const bytesOf = ({ length }: string): number => ENTRY_BYTES + TYPE_BYTES * length;
    this.#types = new BoundedCache(MAX_SIGNATURES, memory, bytesOf);
    this.#single = new BoundedCache(MAX_SIGNATURES, memory, bytesOf);
  }

  /** The complete types of a signature, in order. @throws {WireError} when it is not a valid one */
  parse(signature: string): readonly Type[] {
    const known = this.#types.get(signature);
    if (known !== undefined) return known;
    const types = parseSignature(signature);
    this.#types.set(signature, types);
    return types;
  }

  /** The one complete type of a signature. @throws {WireError} when there is none, or more */
  single(signature: string): Type {
    const known = this.#single.get(signature);
    if (known !== undefined) return known;
    const type = parseSingle(signature);
    this.#single.set(signature, type);
    return type;
  }
}
