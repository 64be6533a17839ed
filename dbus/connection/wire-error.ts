/**
 * Bytes or values that are not what the D-Bus specification allows (`malformed`), or are allowed and more than this
 * connection takes (`limit`). The message names the place, never the content.
 */
export class WireError extends Error {
  readonly code: 'malformed' | 'limit';
  override readonly name = 'WireError';

  constructor(message: string, code: 'malformed' | 'limit' = 'malformed') {
    super(message);
    this.code = code;
  }
}
