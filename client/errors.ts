import { errorCode, type ErrorCode } from '../dbus/errors.js';
import { BusCallError, BusClosedError, BusTimeoutError } from '../dbus/connection/bus-types.js';
import type { ConstraintInfo } from './model.js';

/** What can go wrong on this side of the bus, beside the errors of the contract (dbus/errors.ts). */
export const CLIENT_ERRORS = {
  NoBus: 'The message bus cannot be reached, or the connection to it is lost.',
  NoDaemon: 'org.dmabroker1 has no owner on the bus, and none appeared in time.',
  DaemonLeft: 'The daemon left the bus before it replied; the call may have taken effect.',
  TimedOut: 'No reply came in time. If a late reply carries buffers, they are released.',
  InvalidReply: 'The reply does not follow the interface; client and daemon have incompatible versions.',
  NotMappable: 'The buffer cannot be mapped for the CPU.',
} as const;

/** A stable code: of the contract, or of this side. */
export type DmabrokerErrorCode = ErrorCode | keyof typeof CLIENT_ERRORS;

/** Every failure of this library. `code` is stable, the message is for a person, `cause` is what it was made from. */
export class DmabrokerError extends Error {
  readonly code: DmabrokerErrorCode;
  /** For a `Conflict`: the smallest set of constraints that cannot hold together. Empty for every other code. */
  readonly conflict: readonly ConstraintInfo[];
  override readonly name = 'DmabrokerError';

  constructor(
    code: DmabrokerErrorCode,
    message: string,
    options: { cause?: unknown; conflict?: readonly ConstraintInfo[] } = {},
  ) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.conflict = options.conflict ?? [];
  }
}

/** Bus errors that mean something here; whatever else a bus says is told as `Unavailable`. */
const BUS_ERRORS: Readonly<Record<string, DmabrokerErrorCode>> = {
  'org.freedesktop.DBus.Error.ServiceUnknown': 'NoDaemon',
  'org.freedesktop.DBus.Error.NameHasNoOwner': 'NoDaemon',
  'org.freedesktop.DBus.Error.NoReply': 'DaemonLeft',
  'org.freedesktop.DBus.Error.AccessDenied': 'AccessDenied',
  'org.freedesktop.DBus.Error.UnknownObject': 'InvalidReply',
  'org.freedesktop.DBus.Error.UnknownInterface': 'InvalidReply',
  'org.freedesktop.DBus.Error.UnknownMethod': 'InvalidReply',
  'org.freedesktop.DBus.Error.InvalidArgs': 'InvalidReply',
};
/** The bus tried to start the daemon and could not. */
const SPAWN_ERROR = 'org.freedesktop.DBus.Error.Spawn.';

/** Makes the library's error of whatever a call on the bus failed with. */
export function failureOf(error: unknown): DmabrokerError {
  if (error instanceof DmabrokerError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new DmabrokerError(codeOf(error), message, { cause: error });
}

function codeOf(error: unknown): DmabrokerErrorCode {
  if (error instanceof BusTimeoutError) return 'TimedOut';
  if (error instanceof BusClosedError) return 'NoBus';
  if (!(error instanceof BusCallError)) return 'Internal';
  if (error.errorName.startsWith(SPAWN_ERROR)) return 'NoDaemon';
  return errorCode(error.errorName) ?? BUS_ERRORS[error.errorName] ?? 'Unavailable';
}
