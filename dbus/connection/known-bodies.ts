import { Recent } from '../recent.js';
import type { KnownSignatures } from './known-signatures.js';
import { readValues, type ReadLimits } from './reader.js';
import type { WireValue } from './types.js';

/** Bodies that are remembered: about one for each request that is in use. */
const REMEMBERED = 256;
/** Bytes of the longest body that is remembered, and of the longest signature that is read as quickly as looked up. */
const LONGEST = 2048;
const SIMPLE = 2;

/** Reads bodies. One that came before is given again, so that whoever makes something of it need not do it twice either. */
export class KnownBodies {
  readonly #signatures: KnownSignatures;
  readonly #known = new Recent<string, readonly WireValue[]>(REMEMBERED);

  constructor(signatures: KnownSignatures) {
    this.#signatures = signatures;
  }

  /** @throws {WireError} as `readBody` does */
  read(body: Buffer, little: boolean, signature: string, limits: ReadLimits): readonly WireValue[] {
    const types = this.#signatures.parse(signature);
    const isKept = little && limits.fds === 0 && body.length <= LONGEST && signature.length > SIMPLE;
    if (!isKept) return readValues(body, little, types, limits);
    const key = `${signature} ${body.toString('latin1')}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const values = readValues(body, little, types, limits);
    this.#known.set(key, values);
    return values;
  }
}
