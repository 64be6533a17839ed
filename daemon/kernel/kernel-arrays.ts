import { constants } from 'node:os';

import { addressOf } from '../../dbus/native/layout.js';
import { KernelError } from './errors.js';
import type { IoctlCall, IoctlEdge } from './ioctl.js';
import type { KernelStruct } from './struct.js';

/** An array that the kernel copies to where the struct points. */
export interface KernelArray<Member extends string, Pointer extends Member> {
  readonly pointer: Pointer;
  /** The member that says how many elements there is room for, and then how many there are. */
  readonly count: Member;
  /** Bytes of an element. */
  readonly element: number;
  /** Elements that there is always room for (0). */
  readonly least?: number;
}

export interface ArraysRequest<Member extends string, Pointer extends Member> {
  readonly call: IoctlCall;
  readonly struct: KernelStruct<Member>;
  /** What goes in, besides counts and pointers. */
  readonly values: Readonly<Partial<Record<Member, number | bigint>>>;
  readonly arrays: readonly KernelArray<Member, Pointer>[];
}

/** How often something may come or go between asking how much there is and taking it. */
const MAX_ATTEMPTS = 8;
/** Bytes of one array: more than any driver has, and little enough to make at once. */
const MAX_ARRAY_BYTES = 1024 * 1024;

/**
 * Asks how many elements there are, then for exactly as many, and again until that is what there is: some calls copy as
 * much as there is room for, some nothing unless all fits, and GETPROPBLOB nothing unless the room is exactly right.
 * @returns the struct as the kernel left it, and the bytes of each array
 * @throws {KernelError} EOVERFLOW for an absurd count, EAGAIN when the counts change every time
 */
export function readArrays<Member extends string, Pointer extends Member>(
  edge: IoctlEdge,
  node: number,
  { call, struct, values, arrays }: ArraysRequest<Member, Pointer>,
): { readonly argument: Buffer; readonly bytes: Readonly<Record<Pointer, Buffer>> } {
  let capacities = arrays.map(({ least = 0 }) => least);
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const argument = struct.make(values);
    const buffers = arrays.map(({ pointer, count, element }, i) => {
      const elements = capacities[i] ?? 0;
      const buffer = Buffer.alloc(elements * element);
      struct.write(argument, 0, count, elements);
      struct.write(argument, 0, pointer, elements === 0 ? 0n : addressOf(buffer));
      return buffer;
    });
    edge.now(call, node, argument);
    const counts = arrays.map(({ count }) => struct.read(argument, 0, count));
    const next = arrays.map(({ least = 0 }, i) => Math.max(counts[i] ?? 0, least));
    if (next.every((elements, i) => elements === capacities[i])) {
      const taken = arrays.map(({ pointer, element }, i) => [
        pointer,
        buffers[i]?.subarray(0, (counts[i] ?? 0) * element),
      ]);
      return { argument, bytes: Object.fromEntries(taken) as Record<Pointer, Buffer> };
    }
    if (arrays.some(({ element }, i) => (next[i] ?? 0) * element > MAX_ARRAY_BYTES))
      throw new KernelError(call.name, constants.errno.EOVERFLOW);
    capacities = next;
  }
  throw new KernelError(call.name, constants.errno.EAGAIN);
}

/** The 32-bit numbers of an array, ids and formats. */
export const wordsOf = (bytes: Buffer): readonly number[] => [
  ...new Uint32Array(Uint8Array.from(bytes).buffer),
];

/** The 64-bit numbers of an array, values of properties. */
export const wideWordsOf = (bytes: Buffer): readonly bigint[] => [
  ...new BigUint64Array(Uint8Array.from(bytes).buffer),
];
