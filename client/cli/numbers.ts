import { parseModifier } from '../graphics/modifiers.js';
import { UsageError } from './usage.js';

/** Powers of 1024, by the letter that people write. */
const UNITS = ['', 'K', 'M', 'G', 'T'] as const;
const WHOLE = new RegExp(`^(0x[0-9a-f]+|[0-9]+)([${UNITS.join('')}]?)(?:iB)?$`, 'i');

/** Reads a whole number: `4096`, `0x1000`, `64K`, `8MiB`. @throws {UsageError} */
export function parseWhole(text: string, what: string): bigint {
  const [, digits, unit] = WHOLE.exec(text) ?? [];
  if (digits === undefined || unit === undefined) {
    throw new UsageError(`${what}: not a whole number: '${text}' (4096, 0x1000, 64K and 8MiB are)`);
  }
  const power = UNITS.findIndex((letter) => letter === unit.toUpperCase());
  return BigInt(digits) << BigInt(10 * power);
}

/** The same, of 32 bits. @throws {UsageError} */
export function parseWhole32(text: string, what: string): number {
  const value = parseWhole(text, what);
  if (BigInt.asUintN(32, value) !== value) throw new UsageError(`${what}: larger than 32 bits: '${text}'`);
  return Number(value);
}

/** @throws {UsageError} */
export function parseModifierArgument(text: string, what: string): bigint {
  const modifier = parseModifier(text);
  if (modifier === undefined) {
    throw new UsageError(`${what}: not a modifier: '${text}' (LINEAR and 0x0100000000000001 are)`);
  }
  return modifier;
}

/** Bytes for a person: `512 B`, `7.9 MiB`. */
export function bytesText(bytes: bigint): string {
  const power = UNITS.findLastIndex((_, index) => bytes >= 1n << BigInt(10 * index));
  if (power <= 0) return `${bytes} B`;
  const tenths = (bytes * 10n) >> BigInt(10 * power);
  const fraction = tenths % 10n === 0n ? '' : `.${tenths % 10n}`;
  return `${tenths / 10n}${fraction} ${UNITS[power] ?? ''}iB`;
}
