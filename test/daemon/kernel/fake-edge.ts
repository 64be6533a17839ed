import { constants } from 'node:os';

import { KernelError } from '../../../daemon/kernel/errors.js';
import type { IoctlEdge } from '../../../daemon/kernel/ioctl.js';
import type { KernelStruct } from '../../../daemon/kernel/struct.js';
import { declare } from '../../../dbus/native/libc.js';

/** What a driver does with the argument of a call; throw a KernelError to refuse it. */
export type Driver = Readonly<Record<string, (argument: Buffer) => void>>;

export interface FakeEdge extends IoctlEdge {
  /** Names of all calls, `…:pool` for those on the thread pool. */
  readonly log: readonly string[];
}

/** The node whose number the calls under test are given. */
export const NODE = 77;

/** A kernel with one node, whose driver knows these calls and no others. */
export function fakeEdge(driver: Driver): FakeEdge {
  const log: string[] = [];
  const run = (name: string, fd: number, argument: Buffer | null): number => {
    const handler = driver[name];
    if (fd !== NODE) throw new KernelError(name, constants.errno.EBADF);
    if (handler === undefined) throw new KernelError(name, constants.errno.ENOTTY);
    handler(argument ?? Buffer.alloc(0));
    return 0;
  };
  return {
    log,
    now: ({ name }, fd, argument) => {
      log.push(name);
      return run(name, fd, argument);
    },
    offLoop: async ({ name }, fd, argument) => {
      log.push(`${name}:pool`);
      await Promise.resolve();
      return run(name, fd, argument);
    },
  };
}

const memcpy = declare('void *memcpy(uint64 to, const void *from, size_t length)');

/** Copies to where a struct points, as the kernel does. */
export function copyOut(address: bigint, bytes: Uint8Array): void {
  if (bytes.length === 0) return;
  if (address === 0n) throw new KernelError('copy_to_user', constants.errno.EFAULT);
  memcpy(address, bytes, bytes.length);
}

/** What drivers do of an array: `some` copy as much as there is room for, `all` nothing unless it fits, `exact` nothing unless it fits exactly. */
export type CopyRule = 'some' | 'all' | 'exact';

/** Answers with an array by one of the kernel's rules, and says how many elements there are. */
export function giveArray<Member extends string>(
  struct: KernelStruct<Member>,
  argument: Buffer,
  { count, pointer, rule }: { readonly count: Member; readonly pointer: Member; readonly rule: CopyRule },
  elements: readonly Uint8Array[],
): void {
  const room = struct.read(argument, 0, count);
  const there = elements.length;
  const copied = {
    some: Math.min(room, there),
    all: room >= there ? there : 0,
    exact: room === there ? there : 0,
  };
  const bytes = Buffer.concat(elements.slice(0, copied[rule]));
  copyOut(struct.readWide(argument, 0, pointer), bytes);
}

export const words = (...values: readonly number[]): Uint8Array[] =>
  values.map((value) => new Uint8Array(Uint32Array.of(value).buffer));

export const wideWords = (...values: readonly bigint[]): Uint8Array[] =>
  values.map((value) => new Uint8Array(BigUint64Array.of(value).buffer));

export const bytesOf = (text: string): Uint8Array[] =>
  [...Buffer.from(text)].map((byte) => Uint8Array.of(byte));
