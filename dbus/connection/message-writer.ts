import type { OwnedFd } from '../owned-fd.js';
import {
  BYTE_ORDER,
  FIELD_RULES,
  PROTOCOL_VERSION,
  missingField,
  type FieldRule,
  type HeaderFields,
} from './header.js';
import { WIRE_LIMITS } from './limits.js';
import { parseSignature } from './signature.js';
import type { WireValue } from './types.js';
import { WireError } from './wire-error.js';
import { Writer } from './writer.js';

export interface OutgoingMessage extends Omit<HeaderFields, 'unixFds' | 'sender'> {
  readonly type: number;
  readonly flags: number;
  /** 1 to 2³²−1. */
  readonly serial: number;
  readonly body: readonly WireValue[];
}

/** A message as it goes over the socket: the fds go with its first byte. */
export interface Packet {
  readonly bytes: Buffer;
  readonly fds: readonly OwnedFd[];
  /** Called when the connection ends before all of it was sent. */
  readonly dropped?: (() => void) | undefined;
  /** Called when all of it was handed to the kernel; must not throw. */
  readonly sent?: (() => void) | undefined;
}

/** Marshals a message. The fds in it stay the caller's. @throws {WireError} when a bus would not let it through */
export function writeMessage(message: OutgoingMessage): Packet {
  const missing = missingField(message.type, message);
  if (missing !== undefined) throw new WireError(`a message has no ${missing}`);
  const body = writeBody(message.signature ?? '', message.body);
  const header = new Writer();
  header.byte(BYTE_ORDER.little);
  header.byte(message.type);
  header.byte(message.flags);
  header.byte(PROTOCOL_VERSION);
  header.uint32(body.bytes.length);
  header.uint32(message.serial);
  header.counted(8, () => {
    const fields: HeaderFields = { ...message, unixFds: body.fds.length };
    for (const rule of FIELD_RULES) writeField(header, rule, fields[rule.name]);
  });
  header.align(8);
  if (header.bytes.length + body.bytes.length > WIRE_LIMITS.message)
    throw new WireError('a message is longer than 128 MiB');
  return { bytes: Buffer.concat([header.bytes, body.bytes]), fds: body.fds };
}

function writeBody(signature: string, values: readonly WireValue[]): Writer {
  const types = parseSignature(signature);
  if (types.length !== values.length) throw new WireError('a body has another number of values than types');
  const writer = new Writer();
  types.forEach((type, i) => {
    const value = values[i];
    if (value === undefined) throw new WireError('a value is missing');
    writer.value(type, value);
  });
  return writer;
}

function writeField(header: Writer, rule: FieldRule, value: string | number | undefined): void {
  // No values and no fds are told by leaving the field out.
  const nothing = rule.name === 'signature' ? '' : rule.name === 'unixFds' ? 0 : undefined;
  if (value === undefined || value === nothing) return;
  header.align(8);
  header.byte(rule.code);
  header.signature(rule.type);
  if (typeof value === 'number') header.uint32(value);
  else if (!rule.valid(value)) throw new WireError(`the ${rule.name} of a message is not valid`);
  else if (rule.type === 'g') header.signature(value);
  else header.text(value);
}
