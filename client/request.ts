import type { Use } from '../dbus/names.js';

/**
 * What is asked of the broker. Names are those of the D-Bus contract in camel case; what is absent is not asked for.
 */

/** A device that will touch the buffer, what it will do with it, and the limits that the asker knows of it. */
export interface DeviceRequest {
  /** `/dev/dri/card0`, `226:0` (`deviceFromDevT` makes it), the path of a `DeviceInfo`, or `cpu`. */
  readonly device: string;
  /** Without it, the device must reach the memory and nothing is asked of its formats. */
  readonly uses?: readonly Use[];
  /** Accepted format modifiers; 0 is linear. Never empty. */
  readonly modifiers?: readonly bigint[];
  /** Every plane's pitch is a multiple of it, in bytes. */
  readonly pitchMultiple?: number;
  /** Every plane's pitch is exactly its row bytes rounded up to this multiple, and nothing larger. */
  readonly pitchExact?: number;
  /** The other planes' pitches follow plane 0 by the format's ratio. */
  readonly pitchLinked?: boolean;
  /** Bounds of every plane's pitch, in bytes. */
  readonly pitchMin?: number;
  readonly pitchMax?: number;
  /** Every plane's offset is a multiple of it, in bytes. */
  readonly offsetMultiple?: number;
  /** Rows of the image are rounded up to it. */
  readonly heightMultiple?: number;
  /** The whole size is a multiple of it, in bytes. */
  readonly sizeMultiple?: number | bigint;
  /** Pixels; a larger image is a `Conflict`. */
  readonly maxWidth?: number;
  readonly maxHeight?: number;
  /** Needs physically contiguous memory. */
  readonly contiguous?: boolean;
  /** Needs memory that the CPU cannot read. */
  readonly protected?: boolean;
  /** Needs memory below 2 to this power. */
  readonly addressBits?: number;
  /** Buffers that this device holds on to at once; those of all devices add up. */
  readonly minBuffers?: number;
}

interface BufferSet {
  /** How many, from 1. Without it, as many as the devices hold on to at once. */
  readonly count?: number;
  /** The size that the set will grow to with `Allocation.extend`; `count` when absent. */
  readonly total?: number;
  /** Shown by the kernel's own tools; at most 31 bytes. */
  readonly label?: string;
}

/** Buffers that hold an image. */
export interface ImageRequest extends BufferSet {
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  /** DRM fourcc: `XR24`, `NV12`; for camera raw V4L2's: `pRAA`. */
  readonly format: string;
  /** Accepted format modifiers; 0 is linear. Never empty. */
  readonly modifiers?: readonly bigint[];
}

/** Buffers with no image in them. */
export interface MemoryRequest extends BufferSet {
  /** Bytes. */
  readonly size: number | bigint;
}

export type BufferRequest = ImageRequest | MemoryRequest;
