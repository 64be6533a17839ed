import {
  BYTE_ORDER,
  FIELD_RULES,
  FIXED_LENGTH,
  PROTOCOL_VERSION,
  missingField,
  type FieldRule,
  type HeaderFields,
} from './header.js';
import { WIRE_LIMITS } from './limits.js';
import { Reader } from './reader.js';
import { parseSingle } from './signature.js';
import { WireError } from './wire-error.js';

/** What the first 16 bytes of a message tell. Lengths in bytes. */
export interface FixedHeader {
  readonly little: boolean;
  readonly type: number;
  readonly flags: number;
  readonly serial: number;
  readonly fieldsLength: number;
  /** Bytes of the whole header with its padding. */
  readonly headerLength: number;
  readonly bodyLength: number;
}

/** What is wrong with a header. */
export interface HeaderFault {
  readonly field: keyof HeaderFields | 'padding';
  readonly problem: 'invalid' | 'missing' | 'repeated' | 'type';
}

const FAULT_TEXTS: Readonly<Record<HeaderFault['problem'], string>> = {
  invalid: 'is not valid',
  missing: 'is missing',
  repeated: 'is given twice',
  type: 'has another type',
};

export const faultText = ({ field, problem }: HeaderFault): string => `its ${field} ${FAULT_TEXTS[problem]}`;

export interface Header extends HeaderFields, Omit<FixedHeader, 'fieldsLength' | 'headerLength'> {
  readonly unixFds: number;
  /** What is wrong with the message, when its extent and fds could be told nevertheless. */
  readonly fault?: HeaderFault;
}

/**
 * @param start where in the bytes the message starts
 * @throws {WireError} when this is no start of a message, so it cannot be told where the next one starts
 */
export function readFixed(bytes: Buffer, start = 0): FixedHeader {
  const order = bytes[start];
  if (order !== BYTE_ORDER.little && order !== BYTE_ORDER.big)
    throw new WireError('a message has an unknown byte order');
  if (bytes[start + 3] !== PROTOCOL_VERSION) throw new WireError('a message has an unknown protocol version');
  const little = order === BYTE_ORDER.little;
  const uint32 = (at: number): number =>
    little ? bytes.readUInt32LE(start + at) : bytes.readUInt32BE(start + at);
  const bodyLength = uint32(4);
  const serial = uint32(8);
  const fieldsLength = uint32(12);
  const headerLength = Math.ceil((FIXED_LENGTH + fieldsLength) / 8) * 8;
  if (fieldsLength > WIRE_LIMITS.array || headerLength + bodyLength > WIRE_LIMITS.message)
    throw new WireError('a message is longer than 128 MiB', 'length');
  const type = bytes.readUInt8(start + 1);
  const flags = bytes.readUInt8(start + 2);
  if (type === 0 || serial === 0) throw new WireError('a message has no type or no serial');
  return { little, type, flags, serial, fieldsLength, headerLength, bodyLength };
}

const RULES: ReadonlyMap<number, FieldRule> = new Map(FIELD_RULES.map((rule) => [rule.code, rule]));

/**
 * Reads the header fields. What is wrong with the message alone is its `fault`.
 * @param bytes the whole header with its padding
 * @throws {WireError} when the fields cannot be told apart, so it is unknown which fds belong to the message
 */
export function readHeader(fixed: FixedHeader, bytes: Buffer): Header {
  const { little, type, flags, serial, bodyLength } = fixed;
  const reader = new Reader(bytes, little, { fds: Infinity, values: Infinity }, FIXED_LENGTH);
  const end = FIXED_LENGTH + fixed.fieldsLength;
  const fields: Partial<Record<keyof HeaderFields, string | number>> = {};
  const faults: HeaderFault[] = [];
  while (reader.position < end) readField(reader, fields, faults);
  if (reader.position !== end) throw new WireError('the last header field goes past its end');
  if (bytes.subarray(end).some((byte) => byte !== 0)) faults.push({ field: 'padding', problem: 'invalid' });
  // Each field was stored under the type that its rule names.
  const known = fields as HeaderFields;
  const missing = missingField(type, known);
  if (missing !== undefined) faults.push({ field: missing, problem: 'missing' });
  if (bodyLength > 0 && known.signature === undefined)
    faults.push({ field: 'signature', problem: 'missing' });
  const [fault] = faults;
  const header = { little, type, flags, serial, bodyLength, ...known, unixFds: known.unixFds ?? 0 };
  return fault === undefined ? header : { ...header, fault };
}

function readField(
  reader: Reader,
  fields: Partial<Record<keyof HeaderFields, string | number>>,
  faults: HeaderFault[],
): void {
  reader.align(8);
  const rule = RULES.get(reader.byte());
  const signature = reader.signature();
  if (rule?.type !== signature) {
    reader.value(parseSingle(signature));
    if (rule?.name === 'unixFds') throw new WireError('the number of fds is not a number');
    if (rule !== undefined) faults.push({ field: rule.name, problem: 'type' });
    return;
  }
  const value = readKnown(reader, rule.type);
  if (fields[rule.name] !== undefined) {
    if (rule.name === 'unixFds') throw new WireError('the number of fds is given twice');
    faults.push({ field: rule.name, problem: 'repeated' });
  } else if (typeof value === 'string' && !rule.valid(value))
    faults.push({ field: rule.name, problem: 'invalid' });
  else fields[rule.name] = value;
}

function readKnown(reader: Reader, type: FieldRule['type']): string | number {
  if (type === 'u') return reader.uint32();
  return type === 'g' ? reader.signature() : reader.text();
}
