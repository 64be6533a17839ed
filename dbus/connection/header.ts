import { isBusName, isInterfaceName, isMemberName, isObjectPath } from './name-rules.js';
import { parseSignature } from './signature.js';

/** Message types and flags of the D-Bus specification (Message Format). */
export const MESSAGE_TYPE = { call: 1, reply: 2, error: 3, signal: 4 } as const;
export const FLAG = { noReply: 1, noAutoStart: 2, allowInteraction: 4 } as const;

/** First byte of a message. */
export const BYTE_ORDER = { little: 0x6c, big: 0x42 } as const;
export const PROTOCOL_VERSION = 1;
/** Bytes before the first header field. */
export const FIXED_LENGTH = 16;

/** The fields a header may have; the names are those that dbus-next uses, too. */
export interface HeaderFields {
  readonly path?: string | undefined;
  readonly interface?: string | undefined;
  readonly member?: string | undefined;
  readonly errorName?: string | undefined;
  readonly replySerial?: number | undefined;
  readonly destination?: string | undefined;
  readonly sender?: string | undefined;
  readonly signature?: string | undefined;
  /** UNIX_FDS: how many fds come with the message. */
  readonly unixFds?: number | undefined;
}

export interface FieldRule {
  readonly code: number;
  readonly name: keyof HeaderFields;
  readonly type: 'o' | 's' | 'g' | 'u';
  readonly valid: (value: string) => boolean;
}

const numeric = { type: 'u', valid: (): boolean => true } as const;

export const FIELD_RULES: readonly FieldRule[] = [
  { code: 1, name: 'path', type: 'o', valid: isObjectPath },
  { code: 2, name: 'interface', type: 's', valid: isInterfaceName },
  { code: 3, name: 'member', type: 's', valid: isMemberName },
  { code: 4, name: 'errorName', type: 's', valid: isInterfaceName },
  { code: 5, name: 'replySerial', ...numeric },
  { code: 6, name: 'destination', type: 's', valid: isBusName },
  { code: 7, name: 'sender', type: 's', valid: isBusName },
  { code: 8, name: 'signature', type: 'g', valid: isSignature },
  { code: 9, name: 'unixFds', ...numeric },
];

const REQUIRED: ReadonlyMap<number, readonly (keyof HeaderFields)[]> = new Map<
  number,
  (keyof HeaderFields)[]
>([
  [MESSAGE_TYPE.call, ['path', 'member']],
  [MESSAGE_TYPE.reply, ['replySerial']],
  [MESSAGE_TYPE.error, ['replySerial', 'errorName']],
  [MESSAGE_TYPE.signal, ['path', 'interface', 'member']],
]);

/** A field that a message of this type must have and does not. */
export const missingField = (type: number, fields: HeaderFields): keyof HeaderFields | undefined =>
  REQUIRED.get(type)?.find((name) => fields[name] === undefined);

function isSignature(value: string): boolean {
  try {
    parseSignature(value);
    return true;
  } catch {
    return false;
  }
}
