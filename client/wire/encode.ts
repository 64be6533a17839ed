import type { WireDict, WireValue, WireVariant } from '../../dbus/connection/bus-types.js';
import { LIMITS } from '../../dbus/names.js';
import { boolean, invalid, list, record, text, unsigned } from '../check.js';
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
  /** Buffers that one call can give at most. */
  readonly perCall: number;
}

/**
 * @throws {DmabrokerError} InvalidRequest for what cannot be said in the contract's types: an unknown name, a value of
 * another type. Whether the values make sense is for the broker to say.
 * @param perCall buffers that fit into one call
 */
export function encodeRequest(
  devices: readonly DeviceRequest[],
  buffer: BufferRequest,
  perCall: number = LIMITS.buffersPerCall,
): EncodedRequest {
  const entries = encodeDevices(devices, 'devices');
  const fields = record(buffer, 'buffer');
  const count = buffersOf(fields, 'count');
  const total = buffersOf(fields, 'total');
  if (count !== undefined && total !== undefined && total < count)
    throw invalid('buffer.total', `${total} is less than count, ${count}`);
  const split = count !== undefined && count > perCall;
  const first = split ? { ...fields, count: perCall, total: total ?? count } : fields;
  const body = [entries, [...encodeKeys(BUFFER_KEYS, first, 'buffer.'), ERROR_DATA]];
  return { body, perCall, ...(count !== undefined && { count }) };
}

function buffersOf(fields: Readonly<Record<string, unknown>>, name: 'count' | 'total'): number | undefined {
  const value = fields[name];
  return value === undefined ? undefined : Number(unsigned(value, 32n, `buffer.${name}`));
}

/** Arguments of an `Allocate` that adds buffers to an allocation. */
export const encodeExtension = (path: string, count: number): readonly WireValue[] => [
  [],
  [
    ['extends', { signature: 'o', value: path }],
    ['count', { signature: 'u', value: count }],
  ],
];

/** A list of devices (`a(sa{sv})`). @throws {DmabrokerError} InvalidRequest */
export const encodeDevices = (devices: unknown, what: string): WireValue =>
  list(devices, what, (entry, at) => {
    const { device, ...limits } = record(entry, at);
    return [text(device, `${at}.device`), encodeKeys(DEVICE_KEYS, limits, `${at}.`)];
  });

/** Values by name (`a{sv}`), of which only these are known. @throws {DmabrokerError} InvalidRequest */
export function encodeKeys(
  keys: Readonly<Record<string, Signature>>,
  values: object,
  prefix: string,
): WireDict {
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
      return { signature, value: boolean(value, field) };
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
  const { format, modifiers } = record(item, field, ['format', 'modifiers']);
  return [
    text(format, `${field}.format`),
    list(modifiers, `${field}.modifiers`, (modifier, at) => unsigned(modifier, 64n, at)),
  ];
}
