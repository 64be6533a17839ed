/** The server refused us, or spoke something else than the authentication protocol. */
export class HandshakeError extends Error {
  readonly code = 'HandshakeFailed';
  readonly reason: HandshakeFailure;
  override readonly name = 'HandshakeError';

  constructor(reason: HandshakeFailure, message: string) {
    super(message);
    this.reason = reason;
  }
}

/** Why there is no connection: it does not accept us, has another id, passes no descriptors, or speaks otherwise. */
export type HandshakeFailure =
  'rejected' | 'other-server' | 'no-descriptors' | 'endless-line' | 'too-early' | 'protocol';

export interface HandshakeStep {
  /** What to send now; may be empty. */
  readonly send: string;
  /** After sending, messages follow. */
  readonly done: boolean;
}

type State = 'mechanism' | 'identity' | 'fds' | 'done';

/** Longest line taken from a server, in bytes; none of those it may send is near that. */
const MAX_LINE_BYTES = 4096;

/**
 * The client's side of the D-Bus authentication protocol, without the socket: EXTERNAL, then file descriptors. It
 * names no user, so that the server takes the one it sees, which is right across user namespaces, too.
 */
export class Handshake {
  /** What the client says first: the NUL that carries credentials elsewhere, and the mechanism. */
  static readonly OPENING = '\0AUTH EXTERNAL\r\n';

  readonly #guid: string | undefined;
  #state: State = 'mechanism';
  #line = '';

  /** @param guid the id that the server must have, when it is known */
  constructor(guid?: string) {
    this.#guid = guid;
  }

  /** Takes bytes from the server, in pieces of any size. @throws {HandshakeError} */
  receive(bytes: Buffer): HandshakeStep {
    this.#line += bytes.toString('latin1');
    let send = '';
    for (let end = this.#line.indexOf('\r\n'); end >= 0; end = this.#line.indexOf('\r\n')) {
      const line = this.#line.slice(0, end);
      this.#line = this.#line.slice(end + 2);
      send += this.#answer(line);
    }
    if (this.#line.length > MAX_LINE_BYTES)
      throw new HandshakeError('endless-line', 'the server sent a line without an end');
    if (this.#state === 'done' && this.#line !== '')
      throw new HandshakeError('too-early', 'the server sent a message before it was asked to begin');
    return { send, done: this.#state === 'done' };
  }

  #answer(line: string): string {
    const [command = '', argument = ''] = line.split(' ');
    if (this.#state === 'mechanism' && command === 'DATA') return this.#go('identity', 'DATA');
    if ((this.#state === 'mechanism' || this.#state === 'identity') && command === 'OK') {
      if (this.#guid !== undefined && argument.toLowerCase() !== this.#guid)
        throw new HandshakeError('other-server', 'another server than the address names answered');
      return this.#go('fds', 'NEGOTIATE_UNIX_FD');
    }
    if (this.#state === 'fds' && command === 'AGREE_UNIX_FD') return this.#go('done', 'BEGIN');
    if (command === 'REJECTED')
      throw new HandshakeError('rejected', 'the server does not accept the credentials of this process');
    if (this.#state === 'fds' && command === 'ERROR')
      throw new HandshakeError('no-descriptors', 'the server does not pass file descriptors');
    throw new HandshakeError('protocol', 'the server did not follow the authentication protocol');
  }

  #go(state: State, command: string): string {
    this.#state = state;
    return `${command}\r\n`;
  }
}
