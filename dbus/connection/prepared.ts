import { isSameType, type Type } from './signature.js';

/** Marshalled values are aligned to at most so many bytes: their bytes depend on where they start up to that. */
const ALIGNMENT_BYTES = 8;

/**
 * An array or dictionary that is sent again and again: its bytes are kept once it was written. It has no fds in it, and
 * nothing in it changes.
 */
export class Prepared<Value> {
  readonly #make: () => Value;
  #type: Type | undefined;
  readonly #bytes: (Buffer | undefined)[] = [];

  /** @param make gives the value, the same each time, whenever it has to be written */
  constructor(make: () => Value) {
    this.#make = make;
  }

  get value(): Value {
    return this.#make();
  }

  /** Whether it was written before. */
  get isWritten(): boolean {
    return this.#type !== undefined;
  }

  /** Its bytes as a value of this type, where one like it was written before. @param at where they start */
  bytes(type: Type, at: number): Buffer | undefined {
    return this.#isOf(type) ? this.#bytes[at % ALIGNMENT_BYTES] : undefined;
  }

  /** @param bytes are copied */
  keep(type: Type, at: number, bytes: Buffer): void {
    if (!this.#isOf(type)) this.#bytes.length = 0;
    this.#type = type;
    this.#bytes[at % ALIGNMENT_BYTES] = Buffer.from(bytes);
  }

  #isOf(type: Type): boolean {
    return this.#type !== undefined && isSameType(type, this.#type);
  }
}
