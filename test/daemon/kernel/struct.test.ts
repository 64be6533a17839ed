import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { KernelStruct } from '../../../daemon/kernel/struct.js';

const BYTES = { uint8: 1, uint16: 2, uint32: 4, uint64: 8 } as const;
type Scalar = keyof typeof BYTES;

interface Member {
  readonly type: Scalar;
  readonly length: number;
}

const member: fc.Arbitrary<Member> = fc.record({
  type: fc.constantFrom<Scalar>('uint8', 'uint16', 'uint32', 'uint64'),
  length: fc.integer({ min: 1, max: 5 }),
});
const list = fc.array(member, { minLength: 1, maxLength: 8 });

const build = (members: readonly Member[], packed: boolean): KernelStruct<string> =>
  new KernelStruct(
    'any',
    Object.fromEntries(members.map(({ type, length }, i) => [`m${i}`, [type, length]])),
    { packed },
  );

const up = (value: number, step: number): number => Math.ceil(value / step) * step;

/** Offsets and size by the rules of the C ABIs of x86-64 and arm64: everything is aligned to its own size. */
function expected(members: readonly Member[], packed: boolean): { offsets: number[]; size: number } {
  const step = (type: Scalar): number => (packed ? 1 : BYTES[type]);
  let end = 0;
  const offsets = members.map(({ type, length }) => {
    const offset = up(end, step(type));
    end = offset + length * BYTES[type];
    return offset;
  });
  return { offsets, size: up(end, Math.max(...members.map(({ type }) => step(type)))) };
}

describe('KernelStruct', () => {
  it('lays members out as C does', () => {
    fc.assert(
      fc.property(list, fc.boolean(), (members, packed) => {
        const struct = build(members, packed);
        const { offsets, size } = expected(members, packed);
        expect(struct.size).toBe(size);
        expect(struct.members.map((name) => struct.place(name).offset)).toEqual(offsets);
      }),
    );
  });

  it('reads what it wrote, and touches nothing beside it', () => {
    const base = fc.integer({ min: 0, max: 9 });
    fc.assert(
      fc.property(
        list,
        fc.boolean(),
        base,
        fc.nat(),
        fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
        (...given) => {
          const [members, packed, at, choice, wide] = given;
          const struct = build(members, packed);
          const which = choice % members.length;
          const { type, length } = members[which] ?? { type: 'uint8', length: 1 };
          const index = choice % length;
          const value = BigInt.asUintN(8 * BYTES[type], wide);
          const bytes = Buffer.alloc(at + struct.size, 0xaa);
          struct.write(bytes, at, `m${which}`, value, index);

          const { offset } = struct.place(`m${which}`, index);
          const start = at + offset;
          if (type === 'uint64') expect(struct.readWide(bytes, at, `m${which}`, index)).toBe(value);
          else expect(struct.read(bytes, at, `m${which}`, index)).toBe(Number(value));
          bytes.fill(0xaa, start, start + BYTES[type]);
          expect(bytes.every((byte) => byte === 0xaa)).toBe(true);
        },
      ),
    );
  });

  it('reads any bytes as some value', () => {
    const struct = new KernelStruct('some', { name: ['uint8', 8], size: 'uint64', fd: 'int' });
    fc.assert(
      fc.property(fc.uint8Array({ minLength: struct.size, maxLength: struct.size }), (random) => {
        const bytes = Buffer.from(random);
        expect(struct.readText(bytes, 0, 'name')).not.toContain('\0');
        expect(struct.readWide(bytes, 0, 'size')).toBe(new DataView(random.buffer).getBigUint64(8, true));
        expect(struct.read(bytes, 0, 'fd')).toBe(new DataView(random.buffer).getUint32(16, true));
      }),
    );
  });

  it('makes a struct of the given members and of zeroes', () => {
    const struct = new KernelStruct('some', { a: 'uint32', b: 'uint64', c: 'uint16' });
    const bytes = struct.make({ b: 2n ** 63n });
    expect(struct.readWide(bytes, 0, 'b')).toBe(2n ** 63n);
    expect([struct.read(bytes, 0, 'a'), struct.read(bytes, 0, 'c'), bytes.length]).toEqual([0, 0, 24]);
  });

  it('holds structs, and so many of one in a row', () => {
    const inner = new KernelStruct('inner', { a: 'uint32', b: 'uint16' });
    const outer = new KernelStruct('outer', { first: 'uint8', one: inner, many: [inner, 3] });
    expect([inner.size, outer.size]).toEqual([8, 36]);
    expect([outer.place('one').offset, outer.place('many', 2).offset]).toEqual([4, 28]);
  });

  it('throws for a member or an element that it has not, or a value that does not fit', () => {
    const struct = new KernelStruct('some', { a: 'uint8', list: ['uint32', 2] });
    const bytes = struct.make({});
    expect(() => struct.read(bytes, 0, 'list', 2)).toThrow(RangeError);
    expect(() => {
      struct.write(bytes, 0, 'a', 256);
    }).toThrow(RangeError);
    expect(() => struct.read(bytes, bytes.length, 'a')).toThrow(RangeError);
    expect(() => (struct as KernelStruct<string>).read(bytes, 0, 'none')).toThrow(RangeError);
  });
});
