import type { Type } from './signature.js';

/** Marshalled values are aligned to at most so many bytes: their bytes depend on where they start up to that. */
const ALIGNMENT_BYTES = 8;

/**
 * An array or dictionary that is sent again and again: its bytes are kept once it was written. It has no fds in it, and
 * nothing in it changes.
 */
export class Prepared<Value> {
  readonly value: Value;
  #type: Type | undefined;
  readonly #bytes: (Buffer | undefined)[] = [];

  constructor(value: Value) {
    this.value = value;
  }

  /** Its bytes as a value of this type, where one like it was written before. @param at where they start */
  bytes(type: Type, at: number): Buffer | undefined {
    return type === this.#type ? this.#bytes[at % ALIGNMENT_BYTES] : undefined;
  }

  /** @param bytes are copied */
  keep(type: Type, at: number, bytes: Buffer): void {
    if (type !== this.#type) this.#bytes.length = 0;
    this.#type = type;
    this.#bytes[at % ALIGNMENT_BYTES] = Buffer.from(bytes);
  }
}
