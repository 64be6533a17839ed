import { BoundedCache } from '../bounded-cache.js';
import { parseSignature, parseSingle, type Type } from './signature.js';

/** Signatures that are remembered: a connection sees the same few again and again. */
const MAX_SIGNATURES = 64;

/** Signatures with their types, parsed once while they are in use. */
export class SignatureCache {
  readonly #types = new BoundedCache<string, readonly Type[]>(MAX_SIGNATURES);
  readonly #single = new BoundedCache<string, Type>(MAX_SIGNATURES);

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
