/**
 * What is wrong with bytes or values. All but `limit` are not what the D-Bus specification allows: `malformed`, of another
 * type (`type`), longer (`length`) or nested deeper (`depth`) than it has them, or with other file descriptors than came or
 * may come (`descriptors`). What is over the `limit` is allowed, and more than this connection takes.
 */
export type WireErrorCode = 'malformed' | 'type' | 'length' | 'depth' | 'descriptors' | 'limit';

/** The message names the place, never the content. */
export class WireError extends Error {
  readonly code: WireErrorCode;
  override readonly name = 'WireError';

  constructor(message: string, code: WireErrorCode = 'malformed') {
    super(message);
    this.code = code;
  }
}
