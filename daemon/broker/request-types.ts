import type { LimitValues } from '../../dbus/limits.js';
import type { Use } from '../../dbus/names.js';

/** Limits that a client gives one participant; `modifiers` non-empty, numbers within the contract's bounds. */
export type ClientLimits = { readonly [K in keyof LimitValues]?: LimitValues[K] } & {
  readonly modifiers?: readonly bigint[];
};

/** A format that a client says a device takes. */
export interface TakenFormat {
  /** Fourcc of four characters, padded with spaces. */
  readonly format: string;
  /** None: those that the device itself says. */
  readonly modifiers: readonly bigint[];
}

/** One participant of a request. Its shape is checked; whether its device exists is not yet. */
export interface Entry {
  /** As the client wrote it: node, `major:minor`, object path of a Device, or `cpu`. */
  readonly device: string;
  /** Absent: the device must reach the memory, nothing is asked of its formats. Never empty. */
  readonly uses?: readonly Use[];
  readonly limits: ClientLimits;
  /** Each format once; non-empty, and no limit `modifiers` beside it. */
  readonly formats?: readonly TakenFormat[];
}
