import { isObjectPath } from '../dbus/connection/name-rules.js';
import { DmabrokerError } from './errors.js';

/**
 * The one checker of what a program hands to this library, for programs without types. Each function gives the value as its
 * type, or throws `DmabrokerError` InvalidRequest that names the argument. Whether values make sense is for the broker.
 */

export const invalid = (what: string, why: string): DmabrokerError =>
  new DmabrokerError('InvalidRequest', `${what}: ${why}`);

const wanted = (what: string, kind: string, value: unknown): DmabrokerError =>
  invalid(what, `${kind} is wanted, not ${shown(value)}`);

/** Longest delay of a Node.js timer, in milliseconds; a longer one would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;
const MAX_SHOWN_CHARS = 40;

/** A value for a person, without calling anything of it. */
function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, MAX_SHOWN_CHARS));
  if (typeof value === 'function') return 'a function';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}

/** An integer from 0 to 2^bits − 1, of either type. */
export function unsigned(value: unknown, bits: bigint, what: string): bigint {
  const whole = typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : value;
  if (typeof whole === 'bigint' && whole >= 0n && whole < 1n << bits) return whole;
  throw wanted(what, `a whole number from 0 to ${(1n << bits) - 1n}`, value);
}

export function text(value: unknown, what: string): string {
  if (typeof value !== 'string') throw wanted(what, 'a string', value);
  if (value.includes('\0')) throw invalid(what, 'a NUL cannot be sent');
  return value;
}

/** The path of a D-Bus object. */
export function objectPath(value: unknown, what: string): string {
  const path = text(value, what);
  if (!isObjectPath(path)) throw wanted(what, 'an object path', value);
  return path;
}

export function boolean(value: unknown, what: string): boolean {
  if (typeof value !== 'boolean') throw wanted(what, 'true or false', value);
  return value;
}

export function oneOf<T extends string>(value: unknown, words: readonly T[], what: string): T {
  const found = words.find((word) => word === value);
  if (found === undefined) throw wanted(what, words.join(' or '), value);
  return found;
}

export function list<T>(value: unknown, what: string, each: (item: unknown, what: string) => T): T[] {
  if (!Array.isArray(value)) throw wanted(what, 'a list', value);
  // Array.from sees the holes, which map leaves out.
  return Array.from(value, (item: unknown, index) => each(item, `${what}[${index}]`));
}

/** An object with named values, of which only these names are known when they are given. */
export function record(
  value: unknown,
  what: string,
  names?: readonly string[],
): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw wanted(what, 'an object', value);
  const unknown = names === undefined ? undefined : Object.keys(value).find((name) => !names.includes(name));
  if (unknown !== undefined) throw invalid(`${what}.${unknown}`, 'there is no such key');
  return value as Readonly<Record<string, unknown>>;
}

/** Milliseconds that a timer can wait. */
export function milliseconds(value: unknown, what: string): number {
  if (typeof value === 'number' && value >= 0 && value <= MAX_TIMER_MS) return value;
  throw wanted(what, `a number of milliseconds from 0 to ${MAX_TIMER_MS}`, value);
}

export function callable(value: unknown, what: string): void {
  if (typeof value !== 'function') throw wanted(what, 'a function', value);
}
