import { isUtf8 } from 'node:buffer';

import { WIRE_LIMITS } from './limits.js';
import { isObjectPath } from './name-rules.js';
import { ALIGNMENT, parseSignature, parseSingle, type Type } from './signature.js';
import type { WireValue } from './bus-types.js';
import { WireError } from './wire-error.js';

/** Bytes up to which a string is looked at in JavaScript. */
const SHORT_STRING_BYTES = 64;

export interface ReadLimits {
  /** Fds that came with the message: an `h` names one of them. */
  readonly fds: number;
  /**
   * Values that may be read, every element of every container counted. Eight bytes of text, and one character of a
   * variant's signature, count as one value more: so a value is about as much work as any other.
   */
  readonly values: number;
}

/**
 * Reads marshalled values as strictly as the D-Bus specification has them written (Marshaling): what is not allowed is
 * never passed on. Alignment counts from the first byte of `bytes`.
 */
export class Reader {
  readonly #bytes: Buffer;
  readonly #little: boolean;
  readonly #fds: number;
  #left: number;
  #at: number;

  constructor(bytes: Buffer, little: boolean, limits: ReadLimits, start = 0) {
    this.#bytes = bytes;
    this.#little = little;
    this.#fds = limits.fds;
    this.#left = limits.values;
    this.#at = start;
  }

  /** Bytes read so far, from the first of the buffer. */
  get position(): number {
    return this.#at;
  }

  /** Skips padding. @throws {WireError} when it is not zero */
  align(multiple: number): void {
    const padding = (multiple - (this.#at % multiple)) % multiple;
    const start = this.#advance(padding);
    for (let i = start; i < start + padding; i++)
      if (this.#bytes[i] !== 0) throw new WireError('padding is not zero');
  }

  byte(): number {
    return this.#bytes.readUInt8(this.#advance(1));
  }

  uint32(): number {
    this.align(4);
    const at = this.#advance(4);
    return this.#little ? this.#bytes.readUInt32LE(at) : this.#bytes.readUInt32BE(at);
  }

  /** An `s`: valid UTF-8 with no NUL inside. */
  text(): string {
    return this.#characters(this.uint32());
  }

  /** A `g`, unchecked but for its characters: parsing it shows whether it is valid. */
  signature(): string {
    return this.#characters(this.byte());
  }

  /** @throws {WireError} */
  value(type: Type, depth = 0): WireValue {
    this.#charge(1);
    switch (type.code) {
      case 'a':
        return this.#array(type.element, deeper(depth));
      case '(':
        this.align(8);
        return this.#all(type.fields, deeper(depth));
      case '{':
        this.align(8);
        return this.#all([type.key, type.value], deeper(depth));
      case 'v':
        return this.#variant(deeper(depth));
      case 's':
        return this.text();
      case 'o':
        return checkedPath(this.text());
      case 'g':
        return checkedSignature(this.signature());
      case 'b':
        return this.#boolean();
      case 'h':
        return this.#fdIndex();
      case 'y':
      case 'n':
      case 'q':
      case 'i':
      case 'u':
      case 'x':
      case 't':
      case 'd':
        return this.#number(type.code);
    }
  }

  #array(element: Type, depth: number): readonly WireValue[] {
    const length = this.uint32();
    if (length > WIRE_LIMITS.array) throw new WireError('an array is longer than 64 MiB', 'length');
    this.align(ALIGNMENT[element.code]);
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new WireError('an array goes past the end');
    const values: WireValue[] = [];
    while (this.#at < end) values.push(this.value(element, depth));
    if (this.#at !== end) throw new WireError('the last element of an array goes past its end');
    return values;
  }

  #all(types: readonly Type[], depth: number): readonly WireValue[] {
    return types.map((type) => this.value(type, depth));
  }

  #variant(depth: number): WireValue {
    const signature = this.signature();
    this.#charge(signature.length);
    return { signature, value: this.value(parseSingle(signature), depth) };
  }

  #boolean(): boolean {
    const value = this.uint32();
    if (value > 1) throw new WireError('a boolean is neither 0 nor 1');
    return value === 1;
  }

  #fdIndex(): number {
    const index = this.uint32();
    if (index >= this.#fds)
      throw new WireError('an index names a file descriptor that did not come', 'descriptors');
    return index;
  }

  #number(code: 'y' | 'n' | 'q' | 'i' | 'u' | 'x' | 't' | 'd'): number | bigint {
    const size = ALIGNMENT[code];
    this.align(size);
    const at = this.#advance(size);
    const [bytes, little] = [this.#bytes, this.#little];
    switch (code) {
      case 'y':
        return bytes.readUInt8(at);
      case 'n':
        return little ? bytes.readInt16LE(at) : bytes.readInt16BE(at);
      case 'q':
        return little ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at);
      case 'i':
        return little ? bytes.readInt32LE(at) : bytes.readInt32BE(at);
      case 'u':
        return little ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at);
      case 'x':
        return little ? bytes.readBigInt64LE(at) : bytes.readBigInt64BE(at);
      case 't':
        return little ? bytes.readBigUInt64LE(at) : bytes.readBigUInt64BE(at);
      case 'd':
        return little ? bytes.readDoubleLE(at) : bytes.readDoubleBE(at);
    }
  }

  #characters(length: number): string {
    const start = this.#advance(length + 1);
    const end = start + length;
    if (this.#bytes[end] !== 0) throw new WireError('a string does not end with a NUL');
    this.#charge(length >> 3);
    if (length <= SHORT_STRING_BYTES && this.#isPlain(start, end))
      return this.#bytes.toString('latin1', start, end);
    const content = this.#bytes.subarray(start, end);
    if (content.includes(0)) throw new WireError('a string has a NUL inside');
    if (!isUtf8(content)) throw new WireError('a string is not UTF-8');
    return content.toString('utf8');
  }

  /** ASCII without NUL: most strings, and quicker told here than by two calls into C++. */
  #isPlain(start: number, end: number): boolean {
    for (let i = start; i < end; i++) {
      const byte = this.#bytes[i] ?? 0;
      if (byte === 0 || byte > 0x7f) return false;
    }
    return true;
  }

  #charge(count: number): void {
    this.#left -= count;
    if (this.#left < 0) throw new WireError('a message has more in it than is taken', 'limit');
  }

  #advance(count: number): number {
    const start = this.#at;
    if (count > this.#bytes.length - start) throw new WireError('a value goes past the end');
    this.#at = start + count;
    return start;
  }
}

/** The values of a message's body. @throws {WireError} */
export const readBody = (
  body: Buffer,
  little: boolean,
  signature: string,
  limits: ReadLimits,
): readonly WireValue[] => readValues(body, little, parseSignature(signature), limits);

/** The same, of a signature that is parsed already. @throws {WireError} */
export function readValues(
  body: Buffer,
  little: boolean,
  types: readonly Type[],
  limits: ReadLimits,
): readonly WireValue[] {
  const reader = new Reader(body, little, limits);
  const values = types.map((type) => reader.value(type));
  if (reader.position !== body.length) throw new WireError('bytes follow the last value');
  return values;
}

function deeper(depth: number): number {
  if (depth >= WIRE_LIMITS.depth) throw new WireError('containers nest deeper than 64', 'depth');
  return depth + 1;
}

function checkedPath(path: string): string {
  if (!isObjectPath(path)) throw new WireError('an object path is not valid');
  return path;
}

function checkedSignature(signature: string): string {
  parseSignature(signature);
  return signature;
}
