import type { DeviceRequest, ImageRequest, MemoryRequest } from '../request.js';

/** D-Bus type of a request's value: `u` 32-bit and `t` 64-bit unsigned, `b` boolean, `s` string, `a…` a list of them. */
export type Signature = 'u' | 't' | 'b' | 's' | 'as' | 'at';

/** Every key that a device's entry may hold. */
export const DEVICE_KEYS = {
  uses: 'as',
  modifiers: 'at',
  pitchMultiple: 'u',
  pitchExact: 'u',
  pitchLinked: 'b',
  pitchMin: 'u',
  pitchMax: 'u',
  offsetMultiple: 'u',
  heightMultiple: 'u',
  sizeMultiple: 't',
  maxWidth: 'u',
  maxHeight: 'u',
  contiguous: 'b',
  protected: 'b',
  addressBits: 'u',
  minBuffers: 'u',
} as const satisfies Record<Exclude<keyof DeviceRequest, 'device'>, Signature>;

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
