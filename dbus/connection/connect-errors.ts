import { getSystemErrorName } from 'node:util';

/** An address that names no socket this connection can open. */
export class BusAddressError extends Error {
  readonly code = 'BadAddress';
  override readonly name = 'BusAddressError';
}

/** No bus answered at an address; `cause` has what each of its sockets said. */
export class BusConnectError extends Error {
  readonly code = 'NoBus';
  override readonly name = 'BusConnectError';
}

/** A call on a socket that failed. */
export class SocketError extends Error {
  /** Symbolic errno: `ECONNREFUSED`. */
  readonly code: string;
  /** The system call: `connect`. */
  readonly call: string;
  override readonly name = 'SocketError';

  /** @param call the system call; @param errno the kernel's positive number; @param effect what came of it, for a person */
  constructor(call: string, errno: number, effect = '') {
    const code = getSystemErrorName(-errno);
    super(`${call} failed: ${code}${effect && `: ${effect}`}`);
    this.code = code;
    this.call = call;
  }
}
