/**
 * The one table of errors: D-Bus names, the manual and the client's typed errors are all made from it.
 * A code is stable; a message is for a person.
 */
export const ERRORS = {
  InvalidRequest: 'The request is wrong; the message names the field.',
  UnknownDevice: 'The broker does not know a device of the list.',
  UnsupportedFormat: 'The format is not known on this machine.',
  Conflict:
    'No layout or no pool satisfies all constraints; the message names a smallest set that cannot hold together.',
  QuotaExceeded:
    'The request exceeds a limit; the message names the limit, what is used and what was requested.',
  PoolExhausted: 'No suitable pool has room for the request.',
  TooManyBuffers: 'One call asked for more buffers than fit in a message.',
  AccessDenied: 'Policy forbids this, or forbids every suitable pool.',
  UnknownAllocation: 'There is no such allocation, or the caller may not see it.',
  UnknownToken: 'There is no such token, or it is not for the caller.',
  Abandoned: 'A party on which this one depended left, or its token was withdrawn.',
  NotChosen: 'Another party was chosen in the place of this one, or it did not fit with those before it.',
  TimedOut: 'A party did not say in time what it needs.',
  TooManyAlternatives: '64 combinations of alternatives were tried, and none holds together.',
  Unavailable: 'The service cannot answer now; try again.',
  Internal: 'The service has a bug; its log has the cause.',
} as const;

export type ErrorCode = keyof typeof ERRORS;

const PREFIX = 'org.dmabroker1.Error.';
export const errorName = (code: ErrorCode): string => PREFIX + code;

/** The code behind a D-Bus error name, or undefined when the name is not of this contract. */
export function errorCode(name: string): ErrorCode | undefined {
  const code = name.startsWith(PREFIX) ? name.slice(PREFIX.length) : '';
  return Object.hasOwn(ERRORS, code) ? (code as ErrorCode) : undefined;
}

/** A refusal that its caller gets as `org.freedesktop.DBus.Error.LimitsExceeded`: too much at once, or too often. */
export class LimitsExceeded extends Error {
  override readonly name: string = 'LimitsExceeded';
}

/** A refusal or failure with a stable code. The message may be shown to the client: no path of the daemon, no stack. */
export class BrokerError extends Error {
  readonly code: ErrorCode;
  override readonly name = 'BrokerError';

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
