import type { OwnedFd } from '../owned-fd.js';
import { BoundedCache, type CacheMemory } from '../bounded-cache.js';
import {
  BYTE_ORDER,
  FIELD_RULES,
  FIXED_LENGTH,
  MESSAGE_TYPE,
  PROTOCOL_VERSION,
  missingField,
  type FieldRule,
  type HeaderFields,
} from './header.js';
import type { SignatureCache } from './signature-cache.js';
import { WIRE_LIMITS } from './limits.js';
import type { WireValue } from './bus-types.js';
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

/** Where the numbers of a reply stand that differ from one to the next; its serial is the first field. */
const PLACE = { bodyLength: 4, serial: 8, replySerial: FIXED_LENGTH + 4 } as const;

/** Headers that are remembered: about one for each client and method that is in use, and for each signal. */
const MAX_HEADERS = 1024;

/** Bytes of memory of such a header beside its bytes. */
const ENTRY_BYTES = 512;

/** Bytes of the longest message for which nothing is allocated. */
const MAX_KEPT_BYTES = 16_384;

/** Marshals messages, and remembers what is the same in many of them. */
export class MessageWriter {
  readonly #signatures: SignatureCache;
  readonly #headers: BoundedCache<string, Buffer>;
  readonly #body: Writer;
  /** Holds the message that was written last. */
  readonly #bytes = Buffer.alloc(MAX_KEPT_BYTES);

  constructor(signatures: SignatureCache, memory?: CacheMemory) {
    this.#signatures = signatures;
    this.#headers = new BoundedCache(
      MAX_HEADERS,
      memory,
      (key, header) => ENTRY_BYTES + key.length + header.length,
    );
    this.#body = new Writer(signatures);
  }

  /**
   * The fds in the message stay the caller's, and the bytes are good until the next message is written.
   * @throws {WireError} when a bus would not let it through
   */
  write(message: OutgoingMessage): Packet {
    const { bytes: body, fds } = this.#writeBody(message.signature ?? '', message.body);
    const header = this.#header(message, fds.length);
    if (header.length + body.length > WIRE_LIMITS.message)
      throw new WireError('a message is longer than 128 MiB', 'length');
    const bytes = this.#space(header.length + body.length);
    bytes.set(header, 0);
    bytes.set(body, header.length);
    bytes.writeUInt32LE(body.length, PLACE.bodyLength);
    bytes.writeUInt32LE(message.serial, PLACE.serial);
    if (message.type === MESSAGE_TYPE.reply) bytes.writeUInt32LE(message.replySerial ?? 0, PLACE.replySerial);
    return { bytes, fds };
  }

  #space(length: number): Buffer {
    return length > MAX_KEPT_BYTES ? Buffer.allocUnsafe(length) : this.#bytes.subarray(0, length);
  }

  #writeBody(signature: string, values: readonly WireValue[]): Pick<Writer, 'bytes' | 'fds'> {
    const types = this.#signatures.parse(signature);
    if (types.length !== values.length) throw new WireError('a body has another number of values than types');
    const writer = this.#body;
    writer.reset();
    for (let i = 0; i < types.length; i += 1) {
      const [type, value] = [types[i], values[i]];
      if (type === undefined || value === undefined) throw new WireError('a value is missing');
      writer.value(type, value);
    }
    return { bytes: writer.bytes, fds: writer.fds };
  }

  /** The header, in which the numbers that differ are those of another one where one like it was written before. */
  #header(message: OutgoingMessage, fds: number): Buffer {
    const key = keyOf(message, fds);
    const known = key === undefined ? undefined : this.#headers.get(key);
    if (known !== undefined) return known;
    const header = headerOf(message, fds);
    if (key !== undefined) this.#headers.set(key, header);
    return header;
  }
}

/** The same for all messages whose headers differ in numbers alone; undefined where few do. */
function keyOf(message: OutgoingMessage, fds: number): string | undefined {
  const { type, flags, destination = '', signature = '' } = message;
  if (type === MESSAGE_TYPE.reply)
    return message.replySerial === undefined ? undefined : `${flags} ${destination} ${signature} ${fds}`;
  if (type !== MESSAGE_TYPE.signal) return undefined;
  const { path = '', interface: from = '', member = '' } = message;
  return `${flags} ${destination} ${signature} ${fds} ${path} ${from} ${member}`;
}

/** The header but for the length of the body and the serial. */
function headerOf(message: OutgoingMessage, fds: number): Buffer {
  const missing = missingField(message.type, message);
  if (missing !== undefined) throw new WireError(`a message has no ${missing}`);
  const header = new Writer();
  header.byte(BYTE_ORDER.little);
  header.byte(message.type);
  header.byte(message.flags);
  header.byte(PROTOCOL_VERSION);
  header.uint32(0);
  header.uint32(0);
  header.counted(8, () => {
    const fields: HeaderFields = { ...message, unixFds: fds };
    for (const rule of FIELD_RULES) writeField(header, rule, fields[rule.name]);
  });
  header.align(8);
  return header.bytes;
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
