import { ALL_LIMITS, LIMIT_TABLE } from '../../dbus/limits.js';
import type {
  ImageCollectionRequest,
  InviteOptions,
  MemoryCollectionRequest,
  Needs,
  NegotiateOptions,
} from '../negotiation.js';
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

/** Every key that the buffer of a negotiation may hold. */
export const COLLECTION_KEYS = {
  width: 'u',
  height: 'u',
  format: 's',
  formats: 'as',
  modifiers: 'at',
  size: 't',
  count: 'u',
  label: 's',
} as const satisfies Record<keyof ImageCollectionRequest | keyof MemoryCollectionRequest, Signature>;

/** Every option of a negotiation. */
export const NEGOTIATE_KEYS = {
  deadline: 'u',
  maxBuffers: 'u',
  maxBytes: 't',
} as const satisfies Record<keyof NegotiateOptions, Signature>;

/** Every option of a token; `one-of` is a function of its own. */
export const INVITE_KEYS = {
  part: 's',
  invites: 'u',
  user: 'u',
  label: 's',
} as const satisfies Record<keyof InviteOptions, Signature>;

/** What a party may say of the whole set. */
export const NEEDS_KEYS = {
  spare: 'u',
  countMin: 'u',
  countMax: 'u',
  keep: 'b',
} as const satisfies Record<keyof Needs, Signature>;

/** The contract's name of a key: `pitchMultiple` is `pitch-multiple`. */
export const contractKey = (name: string): string =>
  name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** The library's name of a key: `pitch-multiple` is `pitchMultiple`. */
export function libraryKey<K extends string>(key: K): Camel<K> {
  return key.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase()) as Camel<K>;
}
