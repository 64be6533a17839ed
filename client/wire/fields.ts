import type { WireValue, WireVariant } from '../../dbus/connection/bus-types.js';
import { OwnedFd } from '../../dbus/owned-fd.js';
import { isList, wireReaders, type WireType } from '../../dbus/wire-read.js';
import { DmabrokerError } from '../errors.js';
import type { Value } from '../model.js';

const invalid = (what: string, why: string): DmabrokerError =>
  new DmabrokerError('InvalidReply', `the daemon's answer is not of the contract: ${what} ${why}`);

const NAMES: Readonly<Record<WireType, string>> = {
  s: 'a string',
  u: 'a 32-bit integer',
  t: 'a 64-bit integer',
  b: 'true or false',
  a: 'a list',
  v: 'a variant',
};
const read = wireReaders((what, type) => invalid(what, `is not ${NAMES[type]}`));
export const {
  string: asString,
  number: asNumber,
  bigint: asBigint,
  boolean: asBoolean,
  list: asList,
} = read;

/** Whatever a variant of the contract holds, without the types of the wire. */
export function asValue(value: WireValue, what: string): Value {
  if (typeof value !== 'object') return value;
  if (isList(value)) return value.map((item) => asValue(item, what));
  if (value instanceof OwnedFd) throw invalid(what, 'is a file descriptor');
  return asValue(value.value, what);
}

/** An `a{sv}` of an answer, read by name and type. Every method throws `DmabrokerError` InvalidReply. */
export class Fields {
  readonly #values = new Map<string, WireVariant>();
  readonly #what: string;

  /** @param what names the dictionary in messages */
  constructor(dict: WireValue | undefined, what: string) {
    this.#what = what;
    for (const entry of asList(dict, what)) {
      const [key, value] = asList(entry, what);
      const name = asString(key, `a key of ${what}`);
      this.#values.set(name, read.variant(value, this.#of(name)));
    }
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  names(): Iterable<string> {
    return this.#values.keys();
  }

  string(name: string): string {
    return asString(this.#get(name), this.#of(name));
  }

  number(name: string): number {
    return asNumber(this.#get(name), this.#of(name));
  }

  bigint(name: string): bigint {
    return asBigint(this.#get(name), this.#of(name));
  }

  boolean(name: string): boolean {
    return asBoolean(this.#get(name), this.#of(name));
  }

  strings(name: string): readonly string[] {
    return this.list(name, asString);
  }

  list<T>(name: string, each: (item: WireValue, what: string) => T): readonly T[] {
    const what = this.#of(name);
    return asList(this.#get(name), what).map((item) => each(item, what));
  }

  /** The bare value, for a reader of its own. */
  raw(name: string): WireValue {
    return this.#get(name);
  }

  value(name: string): Value {
    return asValue(this.#get(name), this.#of(name));
  }

  /** This dictionary with the values of another over its own. */
  overlaid(other: Fields): Fields {
    const merged = new Fields([], this.#what);
    for (const [name, value] of [...this.#values, ...other.#values]) merged.#values.set(name, value);
    return merged;
  }

  #get(name: string): WireValue {
    const variant = this.#values.get(name);
    if (variant === undefined) throw invalid(this.#of(name), 'is missing');
    return variant.value;
  }

  #of(name: string): string {
    return `${this.#what}.${name}`;
  }
}
