import { BROKER_INTERFACE, BUS_NAME, ROOT_PATH } from '../../../dbus/names.js';
import { field, marshal, type RawField, type RawMessage, type RawValue } from '../raw-message.js';

/** Key of an `a{sv}` with its variant, as `raw-message.ts` writes them. */
export type Key = readonly [string, readonly [string, RawValue]];
/** Entry of a device list. */
export type Entry = readonly [string, readonly Key[]];

export const REQUEST_TYPE = 'a(sa{sv})a{sv}';

export const u = (name: string, value: number): Key => [name, ['u', value]];
export const t = (name: string, value: bigint): Key => [name, ['t', value]];
export const s = (name: string, value: string): Key => [name, ['s', value]];
export const b = (name: string, value: boolean): Key => [name, ['b', value]];
export const o = (name: string, value: string): Key => [name, ['o', value]];
export const texts = (name: string, ...values: readonly string[]): Key => [name, ['as', values]];
export const uint64s = (name: string, ...values: readonly bigint[]): Key => [name, ['at', values]];

/** The device list of a request that nothing is wrong with, and its entry with further keys. */
export const cpu = (...keys: readonly Key[]): Entry => ['cpu', keys];
export const CPU: readonly Entry[] = [cpu()];
export const PAGE: readonly Key[] = [t('size', 4096n)];

/** Buffer of a small image; a key given here takes the place of the one it has. */
export const image = (...keys: readonly Key[]): readonly Key[] => [
  ...[u('width', 64), u('height', 64), s('format', 'XR24')].filter(
    ([name]) => !keys.some(([other]) => other === name),
  ),
  ...keys,
];

/** That image without some of its keys. */
export const imageWithout = (...names: readonly string[]): readonly Key[] =>
  image().filter(([name]) => !names.includes(name));

export interface CallParts {
  readonly destination?: string;
  readonly path?: string;
  /** Empty for a call that names none. */
  readonly interface?: string;
  readonly member: string;
  readonly signature?: string;
  /** Values of the signature, or what is sent in their place. */
  readonly body?: readonly RawValue[] | Buffer;
  /** Header fields besides these. */
  readonly extra?: readonly RawField[];
}

/** A call to the daemon; all that is not given is right. */
export function call(parts: CallParts): RawMessage {
  const { destination = BUS_NAME, path = ROOT_PATH, member, signature = '', body = [], extra = [] } = parts;
  const face = parts.interface ?? BROKER_INTERFACE;
  return {
    fields: [
      field.path(path),
      ...(face === '' ? [] : [field.interface(face)]),
      field.member(member),
      field.destination(destination),
      ...(signature === '' ? [] : [field.signature(signature)]),
      ...extra,
    ],
    body: Buffer.isBuffer(body) ? body : marshal(signature, body),
  };
}

/** `Allocate` or `Explain` of a request. */
export const request = (
  member: string,
  devices: readonly Entry[],
  buffer: readonly Key[],
  extra: readonly RawField[] = [],
): RawMessage => call({ member, signature: REQUEST_TYPE, body: [devices, buffer], extra });
