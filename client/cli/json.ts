import { modifierHex } from '../graphics/modifiers.js';

/** A value that JSON has. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

const MODIFIER_KEYS: readonly string[] = ['modifier', 'modifiers'];
/** Kinds of constraints whose values are modifiers. */
const MODIFIER_CONSTRAINTS: readonly unknown[] = ['modifiers', 'formats'];

/**
 * The stable form of what the library returns: its own names; modifiers in hexadecimal, other integers as numbers or,
 * beyond 2⁵³, as decimal strings; times in ISO 8601.
 */
export function toJson(value: unknown, modifiers = false): Json {
  if (typeof value === 'bigint') return modifiers ? modifierHex(value) : integer(value);
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map((item) => toJson(item, modifiers));
  if (typeof value !== 'object' || value === null) return null;
  const ofModifiers = 'constraint' in value && MODIFIER_CONSTRAINTS.includes(value.constraint);
  const named = Object.entries(value).filter(([, item]) => item !== undefined);
  return Object.fromEntries(
    named.map(([key, item]) => [
      key,
      toJson(item, MODIFIER_KEYS.includes(key) || (key === 'value' && ofModifiers)),
    ]),
  );
}

const integer = (value: bigint): Json =>
  BigInt(Number(value)) === value && Number.isSafeInteger(Number(value)) ? Number(value) : value.toString();
