import type { Limit, LimitValues } from '../dbus/limits.js';
import type { Use } from '../dbus/names.js';
import type { FormatInfo } from './model.js';

/**
 * What is asked of the broker. Names are those of the D-Bus contract in camel case; what is absent is not asked for.
 */

/** A key of the contract as TypeScript spells it: `pitch-multiple` is `pitchMultiple`. */
export type Camel<S extends string> = S extends `${infer Head}-${infer Tail}`
  ? `${Head}${Capitalize<Camel<Tail>>}`
  : S;

/** What travels as 64 bits may be given as either type of number. */
type Given<V> = V extends bigint ? number | bigint : V;

/**
 * The limits and needs that the asker knows of a device, each as org.dmabroker1(5) says of its key: `pitchMultiple` is
 * `pitch-multiple` there.
 */
export type DeviceLimits = { readonly [K in Limit as Camel<K>]?: Given<LimitValues[K]> };

/** A device that will touch the buffer, what it will do with it, and the limits that the asker knows of it. */
export interface DeviceRequest extends DeviceLimits {
  /** `/dev/dri/card0`, `226:0` (`deviceFromDevT` makes it), the path of a `DeviceInfo`, or `cpu`. */
  readonly device: string;
  /** Without it, the device must reach the memory and nothing is asked of its formats. */
  readonly uses?: readonly Use[];
  /** Accepted format modifiers; 0 is linear. Never empty. */
  readonly modifiers?: readonly bigint[];
  /**
   * Formats that it takes, each once, with the accepted modifiers of each; without modifiers, those that the device itself
   * lists. Never empty, and not together with `modifiers`.
   */
  readonly formats?: readonly FormatInfo[];
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
