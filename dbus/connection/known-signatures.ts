import { Recent } from '../recent.js';
import { parseSignature, type Type } from './signature.js';

/** Signatures that are remembered: a connection sees the same few again and again. */
const REMEMBERED = 64;

/** Signatures with their types, parsed once while they are in use. */
export class KnownSignatures {
  readonly #types = new Recent<string, readonly Type[]>(REMEMBERED);

  /** The complete types of a signature, in order. @throws {WireError} when it is not a valid one */
  parse(signature: string): readonly Type[] {
    const known = this.#types.get(signature);
    if (known !== undefined) return known;
    const types = parseSignature(signature);
    this.#types.set(signature, types);
    return types;
  }
}
