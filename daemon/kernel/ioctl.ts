import { constants } from 'node:os';

import { declare, errno, type NativeFunction } from '../../dbus/native/libc.js';
import { offLoop } from '../../dbus/native/off-loop.js';
import { KernelError } from './errors.js';

/** One kind of ioctl: its name in the kernel's headers, and its number. */
export interface IoctlCall {
  readonly name: string;
  readonly request: number;
  /** Its EAGAIN says that there is nothing yet, and not that the call should be made again. */
  readonly awaited?: boolean;
}

const WRITE = 1;
const READ = 2;

/** The numbering of asm-generic/ioctl.h, which x86-64, arm64 and riscv64 share: direction, size, type and number. */
function call(name: string, direction: number, type: string, number: number, size: number): IoctlCall {
  const request = direction * 2 ** 30 + (size << 16) + (type.charCodeAt(0) << 8) + number;
  return { name, request };
}

/** @param size bytes of the argument */
export const io = (name: string, type: string, number: number): IoctlCall => call(name, 0, type, number, 0);
export const iow = (name: string, type: string, number: number, size: number): IoctlCall =>
  call(name, WRITE, type, number, size);
export const ior = (name: string, type: string, number: number, size: number): IoctlCall =>
  call(name, READ, type, number, size);
export const iowr = (name: string, type: string, number: number, size: number): IoctlCall =>
  call(name, READ | WRITE, type, number, size);

// Not declared variadic, as C has it: a variadic function cannot run on the thread pool, and one pointer or word is passed
// in the same register either way on every architecture that koffi ships for.
const ioctlPointer = declare('int ioctl(int fd, unsigned long request, void *argument)');

const { EINTR, EAGAIN } = constants.errno;
/** Interrupted, or (DRM) asked to come again: after so many times something is wrong. */
const MAX_ATTEMPTS = 1000;

const again = (number: number): boolean => number === EINTR || number === EAGAIN;

/**
 * Makes the call at once; for calls that take microseconds.
 * @returns what it returned, 0 or more
 * @throws {KernelError}
 */
export const ioctl = (call: IoctlCall, fd: number, argument: Buffer | null): number =>
  repeat(call.name, ioctlPointer, fd, call.request, argument);

/**
 * Makes the call on the thread pool; for calls that clear or touch memory, or wait for hardware.
 * @throws {KernelError}
 */
export const ioctlOffLoop = (call: IoctlCall, fd: number, argument: Buffer): Promise<number> =>
  (call.awaited === true ? onceOffLoop : repeatOffLoop)(call.name, ioctlPointer, fd, call.request, argument);

/**
 * A libc function that returns a negative number when it fails, at once.
 * @throws {KernelError}
 */
export function repeat(name: string, native: NativeFunction, ...args: readonly unknown[]): number {
  for (let attempt = 1; ; attempt++) {
    const result = native(...args) as number;
    if (result >= 0) return result;
    const number = errno();
    if (!again(number) || attempt === MAX_ATTEMPTS) throw new KernelError(name, number);
  }
}

/**
 * A libc function that returns a negative number when it fails, on the thread pool.
 * @throws {KernelError}
 */
export async function repeatOffLoop(
  name: string,
  native: NativeFunction,
  ...args: readonly unknown[]
): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await onceOffLoop(name, native, ...args);
    } catch (error) {
      const repeats = error instanceof KernelError && again(error.errno) && attempt < MAX_ATTEMPTS;
      if (!repeats) throw error;
    }
  }
}

/** The same, made once, whatever the kernel says. */
export async function onceOffLoop(
  name: string,
  native: NativeFunction,
  ...args: readonly unknown[]
): Promise<number> {
  const { result, errno: number } = await offLoop(native, ...args);
  const value = Number(result);
  if (value < 0) throw new KernelError(name, number);
  return value;
}

/** The way into the kernel as a value, which a test can replace. Both throw or reject with KernelError. */
export interface IoctlEdge {
  readonly now: (call: IoctlCall, fd: number, argument: Buffer | null) => number;
  readonly offLoop: (call: IoctlCall, fd: number, argument: Buffer) => Promise<number>;
}

export const kernelEdge: IoctlEdge = { now: ioctl, offLoop: ioctlOffLoop };
