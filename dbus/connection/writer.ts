import { MAX_FDS_PER_MESSAGE } from '../native/fd-control.js';
import { OwnedFd } from '../owned-fd.js';
import { isList } from '../wire-read.js';
import { WIRE_LIMITS } from './limits.js';
import { isObjectPath } from './name-rules.js';
import { SignatureCache } from './signature-cache.js';
import { Prepared } from './prepared.js';
import { ALIGNMENT, type Type } from './signature.js';
import type { WireValue, WireVariant } from './bus-types.js';
import { WireError } from './wire-error.js';

/**
 * Writes values little-endian, and refuses what the specification forbids: a bus disconnects the sender of it. (That
 * is why dbus-next's marshaller is not used: it lets invalid paths through, takes dictionaries as plain objects, so that
 * integer keys cannot be written and others change their order, and refuses doubles that are not finite.)
 */
export class Writer {
  #bytes = Buffer.allocUnsafe(INITIAL_BYTES);
  #length = 0;
  #fds: OwnedFd[] = [];
  readonly #signatures: SignatureCache;

  constructor(signatures = new SignatureCache()) {
    this.#signatures = signatures;
  }

  /** What was written so far; valid until the next write. */
  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  /** The fds of the `h` that were written, in the order of their indexes. Still the caller's. */
  get fds(): readonly OwnedFd[] {
    // Never the list that the next message's are put into, or this message would send them as its own.
    return this.#fds.length === 0 ? NONE : this.#fds;
  }

  /** Begins anew. What was written is gone, unless it was copied. */
  reset(): void {
    this.#length = 0;
    if (this.#fds.length > 0) this.#fds = [];
    if (this.#bytes.length > MAX_KEPT_BYTES) this.#bytes = Buffer.allocUnsafe(INITIAL_BYTES);
  }

  align(multiple: number): void {
    const padding = (multiple - (this.#length % multiple)) % multiple;
    if (padding === 0) return;
    const at = this.#extend(padding);
    for (let i = at; i < at + padding; i += 1) this.#bytes[i] = 0;
  }

  byte(value: number): void {
    const at = this.#extend(1);
    this.#bytes.writeUInt8(value, at);
  }

  uint32(value: number): void {
    this.align(4);
    const at = this.#extend(4);
    this.#bytes.writeUInt32LE(value, at);
  }

  text(value: string): void {
    if (value.includes('\0') || LONE_SURROGATE.test(value))
      throw new WireError('a string has a NUL or half a character');
    const length = Buffer.byteLength(value);
    this.uint32(length);
    const at = this.#extend(length + 1);
    this.#bytes.write(value, at);
    this.#bytes[at + length] = 0;
  }

  signature(value: string): void {
    this.#signatures.parse(value);
    this.#characters(value);
  }

  /** A signature that is known to be one. */
  #characters(value: string): void {
    const at = this.#extend(value.length + 2);
    this.#bytes.writeUInt8(value.length, at);
    this.#bytes.write(value, at + 1, 'latin1');
    this.#bytes[at + 1 + value.length] = 0;
  }

  /** Writes an array: its length in bytes, then what `elements` writes, which starts at a multiple of `alignment`. */
  counted(alignment: number, elements: () => void): void {
    this.uint32(0);
    const lengthAt = this.#length - 4;
    // This padding is there even when no element follows, and is not counted.
    this.align(alignment);
    const start = this.#length;
    elements();
    const length = this.#length - start;
    if (length > WIRE_LIMITS.array) throw new WireError('an array is longer than 64 MiB', 'length');
    this.#bytes.writeUInt32LE(length, lengthAt);
  }

  /** @throws {WireError} when the value does not fit the type */
  value(type: Type, value: WireValue, depth = 0): void {
    switch (type.code) {
      case 'a':
        if (value instanceof Prepared) this.#prepared(type, value, depth);
        else this.#array(type.element, list(value), deeper(depth));
        return;
      case '(':
        this.#all(type.fields, list(value), deeper(depth));
        return;
      case '{':
        this.#all([type.key, type.value], list(value), deeper(depth));
        return;
      case 'v':
        this.#variant(variant(value), deeper(depth));
        return;
      case 's':
        this.text(string(value));
        return;
      case 'o':
        this.#path(string(value));
        return;
      case 'g':
        this.signature(string(value));
        return;
      case 'b':
        this.#boolean(value);
        return;
      case 'h':
        this.#fd(value);
        return;
      case 'x':
      case 't':
        this.#wide(type.code, value);
        return;
      case 'y':
      case 'n':
      case 'q':
      case 'i':
      case 'u':
      case 'd':
        this.#number(type.code, value);
        return;
    }
  }

  #prepared(type: Type & { readonly code: 'a' }, value: Prepared<readonly WireValue[]>, depth: number): void {
    this.align(ALIGNMENT.a);
    const start = this.#length;
    const known = value.bytes(type, start);
    if (known !== undefined) {
      const at = this.#extend(known.length);
      this.#bytes.set(known, at);
      return;
    }
    const fds = this.#fds.length;
    this.#array(type.element, value.value, deeper(depth));
    if (this.#fds.length > fds)
      throw new WireError('what is prepared has file descriptors in it', 'descriptors');
    value.keep(type, start, this.#bytes.subarray(start, this.#length));
  }

  #array(element: Type, values: readonly WireValue[], depth: number): void {
    this.counted(ALIGNMENT[element.code], () => {
      for (const value of values) this.value(element, value, depth);
    });
  }

  #all(types: readonly Type[], values: readonly WireValue[], depth: number): void {
    this.align(8);
    if (types.length !== values.length) throw new WireError('a structure has another number of fields');
    types.forEach((type, i) => {
      this.value(type, present(values[i]), depth);
    });
  }

  #variant(value: WireVariant, depth: number): void {
    const type = this.#signatures.single(value.signature);
    this.#characters(value.signature);
    this.value(type, value.value, depth);
  }

  #path(value: string): void {
    if (!isObjectPath(value)) throw new WireError('an object path is not valid');
    this.uint32(value.length);
    const at = this.#extend(value.length + 1);
    // It has nothing but ASCII in it.
    this.#bytes.write(value, at, 'latin1');
    this.#bytes[at + value.length] = 0;
  }

  #boolean(value: WireValue): void {
    if (typeof value !== 'boolean') throw mismatch('b');
    this.uint32(value ? 1 : 0);
  }

  #fd(value: WireValue): void {
    if (!(value instanceof OwnedFd) || !value.open) throw mismatch('h');
    if (this.#fds.length >= MAX_FDS_PER_MESSAGE)
      throw new WireError('a message carries at most 253 fds', 'descriptors');
    this.uint32(this.#fds.push(value) - 1);
  }

  #wide(code: 'x' | 't', value: WireValue): void {
    if (typeof value !== 'bigint') throw mismatch(code);
    const wrapped = code === 'x' ? BigInt.asIntN(64, value) : BigInt.asUintN(64, value);
    if (wrapped !== value) throw mismatch(code);
    this.align(8);
    const at = this.#extend(8);
    this.#bytes.writeBigUInt64LE(BigInt.asUintN(64, value), at);
  }

  #number(code: 'y' | 'n' | 'q' | 'i' | 'u' | 'd', value: WireValue): void {
    if (typeof value !== 'number') throw mismatch(code);
    const size = ALIGNMENT[code];
    this.align(size);
    const at = this.#extend(size);
    if (code === 'd') {
      this.#bytes.writeDoubleLE(value, at);
      return;
    }
    const { min, max } = RANGES[code];
    if (!Number.isInteger(value) || value < min || value > max) throw mismatch(code);
    if (min < 0) this.#bytes.writeIntLE(value, at, size);
    else this.#bytes.writeUIntLE(value, at, size);
  }

  #extend(count: number): number {
    const at = this.#length;
    if (at + count > WIRE_LIMITS.message) throw new WireError('a message is longer than 128 MiB', 'length');
    if (at + count > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(at + count, this.#bytes.length * 2));
      this.#bytes.copy(larger, 0, 0, at);
      this.#bytes = larger;
    }
    this.#length = at + count;
    return at;
  }
}

/** Bytes that a writer begins with, and that one which is used again keeps. */
const INITIAL_BYTES = 256;
const MAX_KEPT_BYTES = 65_536;

const LONE_SURROGATE = /\p{Surrogate}/u;

const RANGES = {
  y: { min: 0, max: 0xff },
  n: { min: -0x8000, max: 0x7fff },
  q: { min: 0, max: 0xffff },
  i: { min: -0x8000_0000, max: 0x7fff_ffff },
  u: { min: 0, max: 0xffff_ffff },
} as const;

const mismatch = (code: string): WireError => new WireError(`a value does not fit its type ${code}`, 'type');

function deeper(depth: number): number {
  if (depth >= WIRE_LIMITS.depth) throw new WireError('containers nest deeper than 64', 'depth');
  return depth + 1;
}

function string(value: WireValue): string {
  if (typeof value !== 'string') throw mismatch('of a string');
  return value;
}

function present(value: WireValue | undefined): WireValue {
  if (value === undefined) throw mismatch('of a field');
  return value;
}

function list(value: WireValue): readonly WireValue[] {
  if (!isList(value)) throw mismatch('of a container');
  return value;
}

function variant(value: WireValue): WireVariant {
  if (typeof value !== 'object' || isList(value) || value instanceof OwnedFd || value instanceof Prepared)
    throw mismatch('v');
  return value;
}

const NONE: readonly OwnedFd[] = Object.freeze([]);
