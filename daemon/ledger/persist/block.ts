import { createHash } from 'node:crypto';

/** Hexadecimal digits of the sum in front of a block. */
const SUM_DIGITS = 16;

/** One line of a state file: a sum, and JSON. */
export function printBlock(value: unknown): string {
  const json = JSON.stringify(value);
  return `${sumOf(json)} ${json}\n`;
}

/** @returns undefined when the line is not as it was written */
export function parseBlock(line: string): { readonly value: unknown } | undefined {
  const json = line.slice(SUM_DIGITS + 1);
  if (line[SUM_DIGITS] !== ' ' || line.slice(0, SUM_DIGITS) !== sumOf(json)) return undefined;
  try {
    return { value: JSON.parse(json) as unknown };
  } catch {
    return undefined;
  }
}

const sumOf = (json: string): string => createHash('sha256').update(json).digest('hex').slice(0, SUM_DIGITS);
