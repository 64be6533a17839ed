import type { Logger } from 'pino';

import { BrokerError, errorName } from '../../dbus/errors.js';

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
}

const MISTAKE = 'The service made a mistake; its log says what happened.';

/**
 * What the caller learns of a failure. A mistake of ours is logged here, once, with its cause; a refusal is not,
 * because a client could fill the log with them.
 */
export function errorReply(error: unknown, member: string, logger: Logger): ErrorReply {
  if (error instanceof StandardError) return { name: error.errorName, message: error.message };
  const known = error instanceof BrokerError;
  if (!known || error.code === 'Internal') logger.error({ err: error, member }, 'a call failed');
  return known
    ? { name: errorName(error.code), message: error.message }
    : { name: errorName('Internal'), message: MISTAKE };
}
