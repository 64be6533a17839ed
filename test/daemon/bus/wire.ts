import type { WireDict, WireValue, WireVariant } from '../../../dbus/connection/bus-types.js';

/** Short ways to write requests as they come from the bus. */

export const v = (signature: string, value: WireValue): WireVariant => ({ signature, value });
export const u = (value: number): WireVariant => v('u', value);
export const t = (value: bigint): WireVariant => v('t', value);
export const b = (value: boolean): WireVariant => v('b', value);
export const s = (value: string): WireVariant => v('s', value);
export const as = (...value: readonly string[]): WireVariant => v('as', value);
export const at = (...value: readonly bigint[]): WireVariant => v('at', value);

export const sat = (...value: readonly (readonly [string, readonly bigint[]])[]): WireVariant =>
  v('a(sat)', value);

export type Keys = Readonly<Record<string, WireVariant>>;
export const dict = (keys: Keys): WireDict => Object.entries(keys);

/** An entry of the device list. */
export const device = (name: string, keys: Keys = {}): WireValue => [name, dict(keys)];

export const IMAGE: Keys = { width: u(640), height: u(480), format: s('XR24') };

/** A received string; empty when it is something else. */
export const text = (value: WireValue | undefined): string => (typeof value === 'string' ? value : '');
