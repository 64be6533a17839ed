import { closeAll } from '../owned-fd.js';
import type { CallReception } from './call-reception.js';
import { CHANNEL_BUDGET } from './limits.js';
import type { ReplyPath } from './incoming-call.js';
import { MessagePump, type SharedParts } from './message-pump.js';
import { withinClosing } from './closing.js';
import { ServerHandshake } from './server-handshake.js';
import type { MessageSocket } from './socket.js';
import { CHANNEL_TERMS, Transport } from './transport.js';
import { BusClosedError, type Channel } from './bus-types.js';
import { WireError } from './wire-error.js';

export interface ChannelOptions {
  /** Unique name on the bus of the connection whose it is: every call counts as its. */
  readonly owner: string;
  /** Tells it from all other channels and connections. */
  readonly line: string;
  /** Id that the client sees, 32 hex digits. */
  readonly guid: string;
  readonly shared: SharedParts;
  readonly reception: CallReception;
  readonly onFault: (error: unknown) => void;
}

/** The end of a private socket whose client speaks D-Bus to this process, without a bus and without names. */
export class ServedChannel implements Channel {
  readonly closed: Promise<BusClosedError | undefined>;
  readonly #options: ChannelOptions;
  readonly #transport: Transport;
  #serial = 0;
  #settle: (reason: BusClosedError | undefined) => void = () => undefined;

  /** Takes the socket. */
  constructor(socket: MessageSocket, options: ChannelOptions) {
    this.#options = options;
    this.closed = new Promise((resolve) => {
      this.#settle = resolve;
    });
    this.#transport = this.#authenticated(socket);
  }

  async close(): Promise<void> {
    await withinClosing(this.#transport.emptied());
    this.#transport.close();
    await this.closed;
  }

  end(): void {
    this.#transport.close();
  }

  #authenticated(socket: MessageSocket): Transport {
    const handshake = new ServerHandshake(this.#options.guid);
    const transport: Transport = new Transport(
      socket,
      {
        received: (bytes, fds) => {
          try {
            closeAll(fds);
            const { send, messages } = handshake.receive(bytes);
            if (send !== '') transport.send({ bytes: Buffer.from(send, 'latin1'), fds: [] });
            // A client that is gone already ends the transport with the first thing sent.
            if (messages === undefined || !transport.open) return false;
            return this.#begin(transport).push(messages);
          } catch (cause) {
            const text = 'the client did not authenticate';
            transport.close(new BusClosedError(text, { cause, reason: 'no-message' }));
            return false;
          }
        },
        closed: this.#settle,
      },
      CHANNEL_TERMS,
    );
    return transport;
  }

  /** From here on, there are messages. */
  #begin(transport: Transport): MessagePump {
    const { owner, line, shared, reception, onFault } = this.#options;
    const path: ReplyPath = {
      overChannel: true,
      send: ({ type, flags, errorName, replySerial, signature, body }, delivery) => {
        this.#serial = (this.#serial % 0xffff_ffff) + 1;
        pump.send({ type, flags, serial: this.#serial, errorName, replySerial, signature, body }, delivery);
      },
      hold: (sender, until) => {
        pump.hold(sender, until);
      },
      fault: onFault,
    };
    const pump = new MessagePump(
      transport,
      shared,
      {
        called: (header, body, fds) => {
          if (header.unixFds === 0) reception.called(header, path, body, fds);
          else reception.refused(header, path, DESCRIPTORS);
        },
        refused: (header, error) => {
          reception.refused(header, path, error);
        },
        // There is nothing that its client could tell.
        heard: () => undefined,
        closed: (reason) => {
          shared.calls.left(line);
          this.#settle(reason);
        },
        fault: onFault,
      },
      { budgetFor: () => CHANNEL_BUDGET, peer: 'the client', channel: { owner, line } },
    );
    return pump;
  }
}

const DESCRIPTORS = new WireError('no descriptors are taken here', 'descriptors');
