import type { Size } from './kms.js';
import { asNobody } from './nobody.js';

export interface SeatOptions {
  /** Address of the bus. */
  readonly bus: string;
  /** Nodes. */
  readonly camera: string;
  readonly card: string;
  readonly frames: number;
  readonly size: Size;
  /** Nodes that the program tries to open, and should not be able to. */
  readonly closed: readonly string[];
  /** File for the last frame as the display had it, a PNG. */
  readonly picture?: string;
}

/** What the program saw; as JSON has it. */
export interface SeatResult {
  /** What opening each of `closed` ended with: an errno, or `opened`. */
  readonly refusals: readonly { readonly node: string; readonly code: string }[];
  readonly layout: {
    readonly format: string;
    readonly modifier: number;
    readonly width: number;
    readonly height: number;
    /** Bytes. */
    readonly pitch: number;
  };
  /** Class of the memory. */
  readonly memory: string;
  readonly frames: number;
  /** Frames that were unlike all others. */
  readonly distinct: number;
}

/** Runs the pipeline in a process of `nobody`. @throws {AssertionError} with what it complained of */
export const runSeat = async (options: SeatOptions): Promise<SeatResult> =>
  (await asNobody('seat-program', options)) as SeatResult;
