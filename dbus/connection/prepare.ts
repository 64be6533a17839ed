import type { WireValue } from './bus-types.js';
import { parseSingle } from './signature.js';
import { Writer } from './writer.js';

/**
 * Writes a value for what is prepared in it, whose bytes are kept for messages with the same value in the same place.
 * @param signature one complete type
 * @throws {WireError} when the value does not fit the type, or could not be sent
 */
export function prepare(signature: string, value: WireValue): void {
  new Writer().value(parseSingle(signature), value);
}
