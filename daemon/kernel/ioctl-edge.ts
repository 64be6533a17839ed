import { ioctl, ioctlOffLoop, type IoctlCall } from './ioctl.js';

/** The way into the kernel as a value: whoever fakes a kernel stands here. Both throw or reject with KernelError. */
export interface IoctlEdge {
  readonly now: (call: IoctlCall, fd: number, argument: Buffer | null) => number;
  readonly offLoop: (call: IoctlCall, fd: number, argument: Buffer) => Promise<number>;
}

export const kernelEdge: IoctlEdge = { now: ioctl, offLoop: ioctlOffLoop };
