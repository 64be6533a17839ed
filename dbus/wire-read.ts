import type { WireValue, WireVariant } from './connection/bus-types.js';

/** Reads single values that came over the bus: requests in the daemon, replies in the client. */

export const isList = (value: WireValue | undefined): value is readonly WireValue[] => Array.isArray(value);

export const isVariant = (value: WireValue | undefined): value is WireVariant =>
  typeof value === 'object' && 'signature' in value;

/** D-Bus types that are read one by one; a list and a variant may hold any. */
export type WireType = 's' | 'u' | 't' | 'b' | 'a' | 'v';

/** Each returns the value, or throws what its maker was told to; `field` names the value for the message. */
export interface WireReaders {
  readonly string: (value: WireValue | undefined, field: string) => string;
  /** A 32-bit integer. */
  readonly number: (value: WireValue | undefined, field: string) => number;
  /** A 64-bit integer. */
  readonly bigint: (value: WireValue | undefined, field: string) => bigint;
  readonly boolean: (value: WireValue | undefined, field: string) => boolean;
  readonly list: (value: WireValue | undefined, field: string) => readonly WireValue[];
  readonly variant: (value: WireValue | undefined, field: string) => WireVariant;
}

/** @param mismatch makes the error for a value that is missing or not of the type */
export function wireReaders(mismatch: (field: string, type: WireType) => Error): WireReaders {
  return {
    string: (value, field) => {
      if (typeof value !== 'string') throw mismatch(field, 's');
      return value;
    },
    number: (value, field) => {
      if (typeof value !== 'number') throw mismatch(field, 'u');
      return value;
    },
    bigint: (value, field) => {
      if (typeof value !== 'bigint') throw mismatch(field, 't');
      return value;
    },
    boolean: (value, field) => {
      if (typeof value !== 'boolean') throw mismatch(field, 'b');
      return value;
    },
    list: (value, field) => {
      if (!isList(value)) throw mismatch(field, 'a');
      return value;
    },
    variant: (value, field) => {
      if (!isVariant(value)) throw mismatch(field, 'v');
      return value;
    },
  };
}
