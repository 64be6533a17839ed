import { endianness } from 'node:os';

import koffi from 'koffi';

/** Types that a member of a C struct may have here. */
export type MemberType = 'int' | 'uint16' | 'uint32' | 'uint64' | 'size_t' | 'void *';

/**
 * Where a Buffer's bytes lie, for a struct that points at them. The address lends nothing: keep the Buffer for as long
 * as the kernel may look (Node never moves a Buffer's memory).
 */
export const addressOf = (bytes: Uint8Array): bigint => koffi.address(bytes);

/** A C struct laid out as this machine's compiler does, read and written in place so that a call builds no objects. */
export class StructLayout<Member extends string> {
  /** Bytes. */
  readonly size: number;
  readonly #members: ReadonlyMap<Member, { readonly offset: number; readonly size: number }>;

  constructor(members: Readonly<Record<Member, MemberType>>) {
    const type = koffi.struct({ ...members });
    this.size = koffi.sizeof(type);
    this.#members = new Map(
      (Object.entries(members) as [Member, MemberType][]).map(([name, memberType]) => [
        name,
        { offset: koffi.offsetof(type, name), size: koffi.sizeof(memberType) },
      ]),
    );
  }

  /** Reads an unsigned member of the struct at `base` bytes into the buffer. */
  read(bytes: Buffer, base: number, member: Member): number {
    const { offset, size } = this.#place(member);
    return size === 8 ? Number(readWide(bytes, base + offset)) : readUnsigned(bytes, base + offset, size);
  }

  /** Writes an unsigned member of the struct at `base` bytes into the buffer. */
  write(bytes: Buffer, base: number, member: Member, value: number | bigint): void {
    const { offset, size } = this.#place(member);
    if (size === 8) writeWide(bytes, base + offset, BigInt(value));
    else writeUnsigned(bytes, base + offset, size, Number(value));
  }

  #place(member: Member): { readonly offset: number; readonly size: number } {
    const place = this.#members.get(member);
    if (place === undefined) throw new RangeError(`the struct has no member ${member}`);
    return place;
  }
}

const LITTLE = endianness() === 'LE';

const readWide = (bytes: Buffer, at: number): bigint =>
  LITTLE ? bytes.readBigUInt64LE(at) : bytes.readBigUInt64BE(at);

const writeWide = (bytes: Buffer, at: number, value: bigint): number =>
  LITTLE ? bytes.writeBigUInt64LE(value, at) : bytes.writeBigUInt64BE(value, at);

const readUnsigned = (bytes: Buffer, at: number, size: number): number =>
  LITTLE ? bytes.readUIntLE(at, size) : bytes.readUIntBE(at, size);

const writeUnsigned = (bytes: Buffer, at: number, size: number, value: number): number =>
  LITTLE ? bytes.writeUIntLE(value, at, size) : bytes.writeUIntBE(value, at, size);
