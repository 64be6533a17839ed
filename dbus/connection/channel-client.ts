import type { OwnedFd } from '../owned-fd.js';
import { withinClosing } from './closing.js';
import { authenticate } from './dial.js';
import type { Header } from './header-reader.js';
import { FLAG, MESSAGE_TYPE } from './header.js';
import { closeFdsIn, type MessageFds } from './message-fds.js';
import { MessagePump } from './message-pump.js';
import { PendingCalls } from './pending-calls.js';
import { budgetFor, sharedParts } from './shared-parts.js';
import { MessageSocket } from './socket.js';
import type { Transport } from './transport.js';
import { BusCallError, BusClosedError, type MethodCall, type Reply, type WireValue } from './bus-types.js';
import { WireError } from './wire-error.js';

export type ChannelCall = Omit<MethodCall, 'destination'>;

/** The client's end of a channel. */
export interface ChannelClient {
  /** Settles once, when it is gone: undefined after our own `close`, otherwise why. Never rejects. */
  readonly closed: Promise<BusClosedError | undefined>;
  /** @throws {BusCallError | BusTimeoutError | BusClosedError} */
  call(call: ChannelCall): Promise<Reply>;
  /** Ends it; what was queued is sent first. */
  close(): Promise<void>;
}

export interface ChannelClientOptions {
  /** Milliseconds until a call is given up when the call itself does not say. */
  readonly callTimeout: number;
  readonly onFault: (error: unknown) => void;
}

/**
 * Speaks D-Bus over a socket that the other side made for us. It keeps the process alive.
 * @param fd a connected unix stream socket that does not block, which it takes
 * @param signal gives up when it is aborted
 * @throws {BusClosedError} when the other side does not follow
 */
export async function connectChannel(
  fd: OwnedFd,
  signal: AbortSignal,
  options: ChannelClientOptions,
): Promise<ChannelClient> {
  return new PeerClient(await authenticate(new MessageSocket(fd), undefined, signal), options);
}

class PeerClient implements ChannelClient {
  readonly closed: Promise<BusClosedError | undefined>;
  readonly #transport: Transport;
  readonly #pump: MessagePump;
  readonly #pending = new PendingCalls<Reply>();
  readonly #callTimeout: number;
  #serial = 0;

  constructor(transport: Transport, { callTimeout, onFault }: ChannelClientOptions) {
    this.#transport = transport;
    this.#callTimeout = callTimeout;
    let settle: (reason: BusClosedError | undefined) => void = () => undefined;
    this.closed = new Promise((resolve) => {
      settle = resolve;
    });
    this.#pump = new MessagePump(
      transport,
      sharedParts(transport),
      {
        // The other side asks nothing.
        called: () => undefined,
        refused: () => undefined,
        heard: (header, body, fds) => {
          this.#hear(header, body, fds);
        },
        closed: (reason) => {
          this.#pending.rejectAll(reason ?? new BusClosedError('the channel was closed'));
          settle(reason);
        },
        fault: onFault,
      },
      { budgetFor, peer: 'the service' },
    );
  }

  async call(call: ChannelCall): Promise<Reply> {
    const { path, interface: to, member, signature, body = [], timeout = this.#callTimeout } = call;
    do this.#serial = (this.#serial % 0xffff_ffff) + 1;
    while (this.#pending.has(this.#serial));
    const serial = this.#serial;
    const flags = call.allowInteraction === true ? FLAG.allowInteraction : 0;
    const answer = this.#pending.add(serial, { to: '', what: `${to}.${member}`, timeout });
    try {
      this.#pump.send({
        type: MESSAGE_TYPE.call,
        flags,
        serial,
        path,
        interface: to,
        member,
        signature,
        body,
      });
    } catch (error) {
      closeFdsIn(body);
      this.#pending.reject(serial, error);
    }
    return answer;
  }

  async close(): Promise<void> {
    await withinClosing(this.#transport.emptied());
    this.#transport.close();
    await this.closed;
  }

  #hear(header: Header, body: readonly WireValue[] | WireError, fds: MessageFds): void {
    const { type, replySerial = 0, errorName = '', signature = '' } = header;
    if (type === MESSAGE_TYPE.signal) return;
    const asked = this.#pending.take(replySerial, undefined);
    if (asked === undefined) return;
    if (body instanceof WireError) asked.reject(new BusCallError(INCONSISTENT, body.message));
    else if (type === MESSAGE_TYPE.reply) asked.resolve({ signature, body, fds: fds.takeAll() });
    else asked.reject(callError(errorName, body));
  }
}

const callError = (name: string, [text, ...details]: readonly WireValue[]): BusCallError =>
  new BusCallError(name, typeof text === 'string' ? text : '', details);

const INCONSISTENT = 'org.freedesktop.DBus.Error.InconsistentMessage';
