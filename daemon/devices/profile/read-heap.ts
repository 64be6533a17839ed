import type { Fact, HeapFacts } from '../inventory.js';
import type { Checker } from './checker.js';
import { HeapSchema } from './schema.js';

/** A heap of the document, or undefined with a warning. */
export function readHeap(checker: Checker, item: unknown, path: string): HeapFacts | undefined {
  const read = checker.check(HeapSchema, item, path);
  if (read === undefined) return undefined;
  const { capacity, maxBuffer, usable = true, ...heap } = read;
  return {
    ...heap,
    ...(capacity && { capacity: bigFact(capacity) }),
    ...(maxBuffer && { maxBuffer: bigFact(maxBuffer) }),
    usable,
  };
}

/** A 64-bit number's text, which the schema has checked. */
export const bigFact = ({ value, source }: Fact<string>): Fact<bigint> => ({ value: BigInt(value), source });
