import { USES, type Use } from '../../dbus/names.js';
import type { DeviceRequest } from '../request.js';
import { contractKey, DEVICE_KEYS, type Signature } from '../wire/keys.js';
import { parseModifierArgument, parseWhole, parseWhole32 } from './numbers.js';
import { UsageError } from './usage.js';

type Limit = Exclude<keyof typeof DEVICE_KEYS, 'uses'>;
type LimitOf<S extends Signature> = {
  [K in Limit]: (typeof DEVICE_KEYS)[K] extends S ? K : never;
}[Limit];
type Draft = { -readonly [K in keyof DeviceRequest]: DeviceRequest[K] };

const isLimit = (key: string): key is Limit => key !== 'uses' && Object.hasOwn(DEVICE_KEYS, key);
const isUse = (word: string): word is Use => USES.some((use) => use === word);
const isOf = <S extends Signature>(key: Limit, signature: S): key is LimitOf<S> =>
  DEVICE_KEYS[key] === signature;

/** The contract's names of the limits, for help and completion. */
export const limitNames: readonly string[] = Object.keys(DEVICE_KEYS).filter(isLimit).map(contractKey);
const limitByName = new Map(
  Object.keys(DEVICE_KEYS)
    .filter(isLimit)
    .map((key) => [contractKey(key), key]),
);

/** The device is a path, `major:minor` or `cpu`; the only colon in one is that of the number. */
const ARGUMENT = /^([0-9]+:[0-9]+|[^:]+)(?::(.+))?$/;

/**
 * Reads `DEVICE[:ITEM,…]`; an item is a use (`scanout`), a limit (`pitch-multiple=256`), or a need (`contiguous`). Several
 * modifiers are joined by `+`.
 * @throws {UsageError}
 */
export function parseDevice(text: string): DeviceRequest {
  const [, device, items] = ARGUMENT.exec(text) ?? [];
  if (device === undefined) throw new UsageError(`--device: not DEVICE[:ITEM,…]: '${text}'`);
  const request: Draft = { device };
  for (const item of items?.split(',') ?? []) readItem(request, item);
  return request;
}

function readItem(request: Draft, item: string): void {
  if (isUse(item)) {
    request.uses = [...(request.uses ?? []), item];
    return;
  }
  const [name = '', ...rest] = item.split('=');
  const value = rest.length === 0 ? undefined : rest.join('=');
  const key = limitByName.get(name);
  if (key === undefined) {
    throw new UsageError(
      `--device: '${name}' is neither a use (${USES.join(', ')}) nor a limit (${limitNames.join(', ')})`,
    );
  }
  if (request[key] !== undefined) throw new UsageError(`--device: ${name} is given twice`);
  readLimit(request, key, value);
}

function readLimit(request: Draft, key: Limit, value: string | undefined): void {
  const what = `--device: ${contractKey(key)}`;
  if (isOf(key, 'b')) {
    if (value !== undefined && value !== 'true' && value !== 'false') {
      throw new UsageError(`${what}: neither true nor false: '${value}'`);
    }
    request[key] = value !== 'false';
    return;
  }
  if (value === undefined) throw new UsageError(`${what} wants a value: ${contractKey(key)}=…`);
  if (isOf(key, 'at')) request[key] = value.split('+').map((each) => parseModifierArgument(each, what));
  else if (isOf(key, 't')) request[key] = parseWhole(value, what);
  else request[key] = parseWhole32(value, what);
}
