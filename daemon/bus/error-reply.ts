import type { ErrorDetails } from '../../dbus/connection/bus-types.js';
import { ConflictError } from '../broker/refusal.js';
import { constraintDicts } from './replies.js';
import { STANDARD_ERRORS } from './standard-interfaces.js';
import { BrokerError, errorName, ERRORS, LimitsExceeded } from '../../dbus/errors.js';

/** A refusal in the words of the D-Bus specification (UnknownMethod and its like). */
export class StandardError extends Error {
  /** D-Bus error name. */
  readonly errorName: string;
  override readonly name = 'StandardError';

  constructor(name: string, message: string) {
    super(message);
    this.errorName = name;
  }
}

/** An error as the caller gets it. */
export interface ErrorReply {
  readonly name: string;
  readonly message: string;
  /** What follows the message, for programs. */
  readonly details?: ErrorDetails;
  /** Whether it is no refusal but a mistake of ours, whose cause the caller does not learn. */
  readonly isMistake: boolean;
}

/** What the caller learns of a failure. */
export function errorReply(error: unknown): ErrorReply {
  if (error instanceof LimitsExceeded)
    return { name: STANDARD_ERRORS.limitsExceeded, message: error.message, isMistake: false };
  if (error instanceof StandardError)
    return { name: error.errorName, message: error.message, isMistake: false };
  if (!(error instanceof BrokerError))
    return { name: errorName('Internal'), message: ERRORS.Internal, isMistake: true };
  const reply = { name: errorName(error.code), message: error.message, isMistake: error.code === 'Internal' };
  return error instanceof ConflictError && error.asData
    ? { ...reply, details: { signature: 'aa{sv}', values: [constraintDicts(error.conflict)] } }
    : reply;
}
