import { endianness } from 'node:os';

import koffi, { type TypeObject } from 'koffi';

type ElementType =
  'int' | 'uint8' | 'uint16' | 'uint32' | 'uint64' | 'size_t' | 'void *' | StructLayout<string>;

/** Types that a member of a C struct may have here: a number, a struct, or so many of either in a row. */
export type MemberType = ElementType | readonly [element: ElementType, length: number];

export interface LayoutOptions {
  /** Without gaps between members, as `__attribute__((packed))` has it. */
  readonly packed?: boolean;
  /** Bytes of the whole struct, where members follow that are not needed here. */
  readonly size?: number;
}

/** Where a member lies in its struct. */
export interface Place {
  /** Bytes from the start of the struct. */
  readonly offset: number;
  /** Bytes of the member, of an array those of one element. */
  readonly size: number;
  /** Elements; 1 of what is no array. */
  readonly length: number;
}

/**
 * Where a Buffer's bytes lie, for a struct that points at them. The address lends nothing: keep the Buffer for as long
 * as the kernel may look (Node never moves a Buffer's memory).
 */
export const addressOf = (bytes: Uint8Array): bigint => koffi.address(bytes);

/** A C struct laid out as this machine's compiler does, read and written in place so that a call builds no objects. */
export class StructLayout<Member extends string> {
  /** Bytes. */
  readonly size: number;
  readonly #type: TypeObject;
  readonly #members: ReadonlyMap<Member, Place>;

  constructor(members: Readonly<Record<Member, MemberType>>, { packed = false, size }: LayoutOptions = {}) {
    const entries = (Object.entries(members) as [Member, MemberType][]).map(([name, type]) => {
      const [element, length] = isArray(type) ? type : [type, undefined];
      return { name, spec: element instanceof StructLayout ? element.#type : element, length };
    });
    const spec = Object.fromEntries(
      entries.map(({ name, spec, length }) => [
        name,
        length === undefined ? spec : koffi.array(spec, length),
      ]),
    );
    this.#type = packed ? koffi.pack(spec) : koffi.struct(spec);
    this.size = size ?? koffi.sizeof(this.#type);
    this.#members = new Map(
      entries.map(({ name, spec, length = 1 }) => [
        name,
        { offset: koffi.offsetof(this.#type, name), size: koffi.sizeof(spec), length },
      ]),
    );
  }

  /** Reads an unsigned member, or one of an array, of the struct at `base` bytes into the buffer. */
  read(bytes: Buffer, base: number, member: Member, index = 0): number {
    const { offset, size } = this.place(member, index);
    return size === 8 ? Number(readWide(bytes, base + offset)) : readUnsigned(bytes, base + offset, size);
  }

  /** The same of a member of 64 bits, with all of them. */
  readWide(bytes: Buffer, base: number, member: Member, index = 0): bigint {
    return readWide(bytes, base + this.place(member, index).offset);
  }

  /** Reads an array of bytes as text: up to the first NUL, or all of it; U+FFFD for what is not UTF-8. */
  readText(bytes: Buffer, base: number, member: Member): string {
    const { offset, length } = this.place(member);
    return textOf(bytes.subarray(base + offset, base + offset + length));
  }

  /** Writes an unsigned member, or one of an array, of the struct at `base` bytes into the buffer. */
  write(bytes: Buffer, base: number, member: Member, value: number | bigint, index = 0): void {
    const { offset, size } = this.place(member, index);
    if (size === 8) writeWide(bytes, base + offset, value);
    else writeUnsigned(bytes, base + offset, size, Number(value));
  }

  /** Where a member lies, or one of an array. */
  place(member: Member, index = 0): Place {
    const place = this.#members.get(member);
    if (place === undefined) throw new RangeError(`the struct has no member ${member}`);
    if (index === 0) return place;
    if (index >= place.length) throw new RangeError(`the struct has no member ${member}[${index}]`);
    return { ...place, offset: place.offset + index * place.size };
  }
}

type ArrayType = Extract<MemberType, readonly unknown[]>;

const isArray = (type: MemberType): type is ArrayType => Array.isArray(type);

/** The bytes before the first NUL, or all of them, as text. */
export function textOf(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString('utf8', 0, end < 0 ? bytes.length : end);
}

const LITTLE = endianness() === 'LE';

const readWide = (bytes: Buffer, at: number): bigint =>
  LITTLE ? bytes.readBigUInt64LE(at) : bytes.readBigUInt64BE(at);

function writeWide(bytes: Buffer, at: number, value: number | bigint): void {
  if (typeof value === 'number' && LITTLE) {
    bytes.writeUInt32LE(value % WORD, at);
    bytes.writeUInt32LE(Math.floor(value / WORD), at + 4);
  } else if (LITTLE) bytes.writeBigUInt64LE(BigInt(value), at);
  else bytes.writeBigUInt64BE(BigInt(value), at);
}

const WORD = 2 ** 32;

const readUnsigned = (bytes: Buffer, at: number, size: number): number =>
  LITTLE ? bytes.readUIntLE(at, size) : bytes.readUIntBE(at, size);

const writeUnsigned = (bytes: Buffer, at: number, size: number, value: number): number =>
  LITTLE ? bytes.writeUIntLE(value, at, size) : bytes.writeUIntBE(value, at, size);
