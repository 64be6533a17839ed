import type { WireDict, WireValue, WireVariant } from '../../dbus/connection/bus-types.js';
import { LIMITS } from '../../dbus/names.js';
import { DmabrokerError } from '../errors.js';
import type { BufferRequest, DeviceRequest } from '../request.js';
import { BUFFER_KEYS, contractKey, DEVICE_KEYS, type Signature } from './keys.js';

/** Signature of the arguments of `Allocate` and `Explain`. */
export const REQUEST_SIGNATURE = 'a(sa{sv})a{sv}';

/** A key that asks for the constraints of a conflict in the error itself. */
const ERROR_DATA: WireDict[number] = ['error-data', { signature: 'b', value: true }];

/** A request in the contract's form; what does not fit into one call is left to later ones. */
export interface EncodedRequest {
  /** Arguments of `Explain`, and of the first `Allocate`. */
  readonly body: readonly WireValue[];
  /** How many buffers were asked for in all, if that was said. */
  readonly count?: number;
}

/**
 * @throws {DmabrokerError} InvalidRequest for what cannot be said in the contract's types: an unknown name, a value of
 * another type. Whether the values make sense is for the broker to say.
 */
export function encodeRequest(devices: readonly DeviceRequest[], buffer: BufferRequest): EncodedRequest {
  const entries = devices.map(({ device, ...limits }, index) => [
    text(device, `devices[${index}].device`),
    encodeKeys(DEVICE_KEYS, limits, `devices[${index}].`),
  ]);
  const { count, total } = buffer;
  if (count !== undefined && total !== undefined && total < count) {
    throw invalid('buffer.total', `${total} is less than count, ${count}`);
  }
  const split = count !== undefined && count > LIMITS.buffersPerCall;
  const first = split ? { ...buffer, count: LIMITS.buffersPerCall, total: total ?? count } : buffer;
  const body = [entries, [...encodeKeys(BUFFER_KEYS, first, 'buffer.'), ERROR_DATA]];
  return count === undefined ? { body } : { body, count };
}

/** Arguments of an `Allocate` that adds buffers to an allocation. */
export const encodeExtension = (path: string, count: number): readonly WireValue[] => [
  [],
  [
    ['extends', { signature: 'o', value: path }],
    ['count', { signature: 'u', value: count }],
  ],
];

function encodeKeys(keys: Readonly<Record<string, Signature>>, values: object, prefix: string): WireDict {
  const given = Object.entries(values).filter(([, value]) => value !== undefined);
  return given.map(([name, value]) => {
    const signature = Object.hasOwn(keys, name) ? keys[name] : undefined;
    if (signature === undefined) throw invalid(prefix + name, 'there is no such key');
    return [contractKey(name), variant(signature, value, prefix + name)];
  });
}

function variant(signature: Signature, value: unknown, field: string): WireVariant {
  switch (signature) {
    case 'u':
      return { signature, value: Number(unsigned(value, 32n, field)) };
    case 't':
      return { signature, value: unsigned(value, 64n, field) };
    case 'b':
      if (typeof value !== 'boolean') throw invalid(field, 'not true or false');
      return { signature, value };
    case 's':
      return { signature, value: text(value, field) };
    case 'as':
      return { signature, value: list(value, field, text) };
    case 'at':
      return { signature, value: list(value, field, (item, at) => unsigned(item, 64n, at)) };
    case 'a(sat)':
      return { signature, value: list(value, field, formatOf) };
  }
}

function formatOf(item: unknown, field: string): WireValue {
  if (typeof item !== 'object' || item === null || !('format' in item) || !('modifiers' in item))
    throw invalid(field, 'not a format with its modifiers');
  return [
    text(item.format, `${field}.format`),
    list(item.modifiers, `${field}.modifiers`, (modifier, at) => unsigned(modifier, 64n, at)),
  ];
}

function unsigned(value: unknown, bits: bigint, field: string): bigint {
  const whole = typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : value;
  if (typeof whole === 'bigint' && whole >= 0n && whole < 1n << bits) return whole;
  throw invalid(field, `not a whole number from 0 to ${(1n << bits) - 1n}: ${String(value)}`);
}

function text(value: unknown, field: string): string {
  if (typeof value !== 'string') throw invalid(field, 'not a string');
  if (value.includes('\0')) throw invalid(field, 'a NUL cannot be sent');
  return value;
}

function list<T>(value: unknown, field: string, each: (item: unknown, field: string) => T): T[] {
  if (!Array.isArray(value)) throw invalid(field, 'not a list');
  return value.map((item, index) => each(item, `${field}[${index}]`));
}

const invalid = (field: string, why: string): DmabrokerError =>
  new DmabrokerError('InvalidRequest', `${field}: ${why}`);
