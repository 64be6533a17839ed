import { didYouMean, nearest } from '../../daemon/policy/suggest.js';
import { ALL_LIMITS, isLimit, isLimitOf, type Limit } from '../../dbus/limits.js';
import { USES, type Use } from '../../dbus/names.js';
import type { DeviceRequest } from '../request.js';
import { libraryKey } from '../wire/keys.js';
import { parseModifierArgument, parseWhole, parseWhole32 } from './numbers.js';
import { UsageError } from './usage.js';

type Draft = { -readonly [K in keyof DeviceRequest]: DeviceRequest[K] };

const isUse = (word: string): word is Use => USES.some((use) => use === word);

/** The contract's names of the limits, for help and completion. */
export const limitNames: readonly string[] = ['modifiers', ...ALL_LIMITS];

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
  if (name !== 'modifiers' && !isLimit(name)) {
    throw new UsageError(
      `--device: '${name}' is neither a use (${USES.join(', ')}) nor a limit (${limitNames.join(', ')})` +
        didYouMean(nearest(name, [...USES, ...limitNames])),
    );
  }
  if (request[libraryKey(name)] !== undefined) throw new UsageError(`--device: ${name} is given twice`);
  readLimit(request, name, value);
}

function readLimit(request: Draft, name: Limit | 'modifiers', value: string | undefined): void {
  const what = `--device: ${name}`;
  if (name !== 'modifiers' && isLimitOf('b', name)) {
    if (value !== undefined && value !== 'true' && value !== 'false') {
      throw new UsageError(`${what}: neither true nor false: '${value}'`);
    }
    request[libraryKey(name)] = value !== 'false';
    return;
  }
  if (value === undefined) throw new UsageError(`${what} wants a value: ${name}=…`);
  if (name === 'modifiers')
    request.modifiers = value.split('+').map((each) => parseModifierArgument(each, what));
  else if (isLimitOf('t', name)) request[libraryKey(name)] = parseWhole(value, what);
  else request[libraryKey(name)] = parseWhole32(value, what);
}
