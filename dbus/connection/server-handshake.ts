import { HandshakeError } from './handshake.js';

/** What came of some bytes. */
export interface ServerStep {
  /** What to send now; may be empty. */
  readonly send: string;
  /** Once the client begins: what it sent after that, which is messages already. */
  readonly messages?: Buffer;
}

type State = 'opening' | 'mechanism' | 'identity' | 'accepted';

/** Longest line taken from a client, in bytes; none of those it may send is near that. */
const MAX_LINE_BYTES = 4096;
const REJECTED = 'REJECTED EXTERNAL ANONYMOUS\r\n';

/**
 * The server's side of the D-Bus authentication protocol on a socket whose client is known by how it got the socket:
 * whatever identity it claims is accepted and means nothing. Without the socket.
 */
export class ServerHandshake {
  readonly #guid: string;
  #state: State = 'opening';
  #passesFds = false;
  #line = '';

  /** @param guid id of this server, 32 hex digits */
  constructor(guid: string) {
    this.#guid = guid;
  }

  /** Takes bytes from the client, in pieces of any size, until it begins. @throws {HandshakeError} */
  receive(bytes: Buffer): ServerStep {
    this.#line += bytes.toString('latin1');
    this.#open();
    let send = '';
    for (let end = this.#line.indexOf('\r\n'); end >= 0; end = this.#line.indexOf('\r\n')) {
      const line = this.#line.slice(0, end);
      this.#line = this.#line.slice(end + 2);
      if (line === 'BEGIN') return { send, messages: this.#begin() };
      send += this.#answer(line);
    }
    if (this.#line.length > MAX_LINE_BYTES)
      throw new HandshakeError('endless-line', 'the client sent a line without an end');
    return { send };
  }

  /** The NUL before the first line, which carries credentials elsewhere. */
  #open(): void {
    if (this.#state !== 'opening' || this.#line === '') return;
    if (!this.#line.startsWith('\0'))
      throw new HandshakeError('protocol', 'the client did not follow the authentication protocol');
    this.#line = this.#line.slice(1);
    this.#state = 'mechanism';
  }

  #begin(): Buffer {
    if (this.#state !== 'accepted')
      throw new HandshakeError('too-early', 'the client began before it was accepted');
    if (!this.#passesFds)
      throw new HandshakeError('no-descriptors', 'the client does not take file descriptors');
    return Buffer.from(this.#line, 'latin1');
  }

  #answer(line: string): string {
    const [command = '', mechanism = '', response] = line.split(' ');
    const state = this.#state;
    if (command === 'CANCEL' || command === 'ERROR') return this.#go('mechanism', REJECTED);
    if (command === 'AUTH' && state === 'mechanism') {
      if (mechanism === 'ANONYMOUS' || (mechanism === 'EXTERNAL' && response !== undefined))
        return this.#accept();
      return mechanism === 'EXTERNAL' ? this.#go('identity', 'DATA\r\n') : REJECTED;
    }
    if (command === 'DATA' && state === 'identity') return this.#accept();
    if (command === 'NEGOTIATE_UNIX_FD' && state === 'accepted') {
      this.#passesFds = true;
      return 'AGREE_UNIX_FD\r\n';
    }
    return 'ERROR\r\n';
  }

  #accept(): string {
    return this.#go('accepted', `OK ${this.#guid}\r\n`);
  }

  #go(state: State, answer: string): string {
    this.#state = state;
    return answer;
  }
}
