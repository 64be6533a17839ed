import type { WireValue, WireVariant } from '../../dbus/connection/bus-types.js';
import { LIMITS } from '../../dbus/names.js';
import { quote } from '../../dbus/quote.js';
import { didYouMean, nearest } from '../policy/suggest.js';
import { isList, isVariant } from '../../dbus/wire-read.js';
import { invalid } from './wire-values.js';

/** Takes the value of one key into what is being read; `field` names it for a message. */
export type KeyReader<Draft> = (draft: Draft, field: string, value: WireVariant) => void;

/** A key whose value becomes a property of what is being read. */
export const into =
  <Draft, K extends keyof Draft>(
    property: K,
    read: (field: string, value: WireVariant) => NonNullable<Draft[K]>,
  ): KeyReader<Draft> =>
  (draft, field, value) => {
    draft[property] = read(field, value);
  };

/** A map, because an object would inherit keys such as `__proto__`. */
export type KeyReaders<Draft> = ReadonlyMap<string, KeyReader<Draft>>;

/**
 * Reads an `a{sv}` strictly: every key is known and stands there once.
 * @param place what the keys belong to, for the message (`devices[1]`)
 * @returns the keys that were there
 * @throws {BrokerError} InvalidRequest
 */
export function readDict<Draft>(
  place: string,
  dict: WireValue,
  readers: KeyReaders<Draft>,
  draft: Draft,
): ReadonlySet<string> {
  if (!isList(dict)) throw invalid(place, 'type', 'the value is not of type a{sv}');
  if (dict.length > LIMITS.keysPerEntry)
    throw invalid(
      place,
      'too-many',
      `${dict.length} keys were given, at most ${LIMITS.keysPerEntry} are accepted`,
    );
  const seen = new Set<string>();
  for (const item of dict) {
    const [key, value] = keyAndValue(place, item);
    const read = readers.get(key);
    if (read === undefined)
      throw invalid(
        place,
        'unknown-key',
        `the key ${quote(key)} is unknown${didYouMean(nearest(key, readers.keys()))}; known are ${[...readers.keys()].join(', ')}`,
      );
    if (seen.has(key))
      throw invalid(`${place} ${key}`, 'repeated', 'the key was given twice, once is accepted');
    seen.add(key);
    read(draft, `${place} ${key}`, value);
  }
  return seen;
}

function keyAndValue(place: string, item: WireValue): readonly [string, WireVariant] {
  const [key, value] = isList(item) ? item : [];
  if (typeof key !== 'string' || !isVariant(value))
    throw invalid(place, 'type', 'the value is not of type a{sv}');
  return [key, value];
}
