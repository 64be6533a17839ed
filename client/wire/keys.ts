import { ALL_LIMITS, LIMIT_TABLE } from '../../dbus/limits.js';
import type { Camel, DeviceLimits, DeviceRequest, ImageRequest, MemoryRequest } from '../request.js';

/** D-Bus type of a request's value: `u` 32-bit and `t` 64-bit unsigned, `b` boolean, `s` string, `a…` a list of them. */
export type Signature = 'u' | 't' | 'b' | 's' | 'as' | 'at' | 'a(sat)';

/** Every key that a device's entry may hold. */
export const DEVICE_KEYS: Readonly<Record<Exclude<keyof DeviceRequest, 'device'>, Signature>> = {
  uses: 'as',
  modifiers: 'at',
  formats: 'a(sat)',
  ...(Object.fromEntries(ALL_LIMITS.map((limit) => [libraryKey(limit), LIMIT_TABLE[limit].type])) as Record<
    keyof DeviceLimits,
    Signature
  >),
};

/** Every key that the buffer may hold. */
export const BUFFER_KEYS = {
  width: 'u',
  height: 'u',
  format: 's',
  modifiers: 'at',
  size: 't',
  count: 'u',
  total: 'u',
  label: 's',
} as const satisfies Record<keyof ImageRequest | keyof MemoryRequest, Signature>;

/** The contract's name of a key: `pitchMultiple` is `pitch-multiple`. */
export const contractKey = (name: string): string =>
  name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** The library's name of a key: `pitch-multiple` is `pitchMultiple`. */
export function libraryKey<K extends string>(key: K): Camel<K> {
  return key.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase()) as Camel<K>;
}
