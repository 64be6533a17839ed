import type { CallQueue, CallSource } from './call-queue.js';
import type { CacheMemory } from '../bounded-cache.js';
import { closeAll, type OwnedFd } from '../owned-fd.js';
import type { BodyCache } from './body-cache.js';
import { Framer, type Frame } from './framer.js';
import type { HeaderCache } from './header-cache.js';
import { faultText, type Header } from './header-reader.js';
import { MESSAGE_TYPE } from './header.js';
import type { DecodeBudget } from './limits.js';
import { MessageFds } from './message-fds.js';
import type { MessageWriter, OutgoingMessage } from './message-writer.js';
import type { Transport } from './transport.js';
import { BusClosedError, type WireValue } from './bus-types.js';
import { WireError } from './wire-error.js';

/** What its sender wants to know of a message; neither throws. */
export interface Delivery {
  /** It cannot arrive any more. */
  readonly dropped: () => void;
  /** It was handed to the other side's socket, and may still be refused there. */
  readonly sent: () => void;
}

/** What the bus and all channels of a process have in common: caches, and turns. */
export interface SharedParts {
  /** Of all the caches. */
  readonly memory: CacheMemory;
  readonly headers: HeaderCache;
  readonly bodies: BodyCache;
  readonly writer: MessageWriter;
  readonly calls: CallQueue;
}

export interface PumpEvents {
  /** A call that is well-formed. */
  called(call: Header, body: readonly WireValue[], fds: MessageFds): void;
  /** A call whose body or header is wrong, or too large to be read, or too much: it is to be answered with an error. */
  refused(call: Header, error: WireError): void;
  /** Any other message of a known type, with its body or what is wrong with it. */
  heard(header: Header, body: readonly WireValue[] | WireError, fds: MessageFds): void;
  closed(reason: BusClosedError | undefined): void;
  /** Something of ours went wrong that must not reach the other side. */
  fault(error: unknown): void;
}

/** What one stream differs in from the others. */
export interface PumpTerms {
  readonly budgetFor: (type: number) => DecodeBudget;
  /** The other side, for a message. */
  readonly peer: string;
  /** Of a channel: whose it is, and the line in which its calls wait. */
  readonly channel?: { readonly owner: string; readonly line: string };
}

const KNOWN_TYPES: ReadonlySet<number> = new Set(Object.values(MESSAGE_TYPE));

/** Messages between two looks at the rest of the event loop: so many that are handled, or more that cost less. */
const WEIGHT_PER_TURN = 256;
const WEIGHT = { handled: 16, refused: 2, kept: 1 } as const;

/**
 * Takes messages from a transport and hands them out, and sends what goes out. What is wrong with one message ends with
 * that message; a stream that cannot be followed further is closed.
 */
export class MessagePump {
  readonly #transport: Transport;
  readonly #shared: SharedParts;
  readonly #events: PumpEvents;
  readonly #terms: PumpTerms;
  readonly #framer: Framer;
  readonly #source: CallSource;
  #open = true;

  /** Takes the transport over, once its handshake is done. */
  constructor(transport: Transport, shared: SharedParts, events: PumpEvents, terms: PumpTerms) {
    this.#transport = transport;
    this.#shared = shared;
    this.#events = events;
    this.#terms = terms;
    const { channel } = terms;
    this.#source = {
      ...(channel !== undefined && { line: channel.line }),
      handle: (frame) => {
        this.#dispatch(frame);
      },
      refuse: ({ header, fds }) => {
        this.#closing(() => {
          closeAll(fds);
        });
        events.refused(header, TOO_MUCH);
      },
      get congested(): boolean {
        return transport.congested;
      },
    };
    this.#framer = new Framer((type) => terms.budgetFor(type).body, shared.headers, channel?.owner);
    transport.deliverTo({
      received: (bytes, fds, lost) => this.push(bytes, fds, lost),
      flowing: () => {
        shared.calls.resume(channel?.owner, channel?.line);
      },
      closed: (reason) => {
        this.#end(reason);
      },
    });
  }

  /**
   * Takes what one read returned.
   * @returns whether more is wanted before others have their turn
   */
  push(bytes: Buffer, fds: readonly OwnedFd[] = [], lost = false): boolean {
    this.#framer.push(bytes, fds, lost);
    this.#shared.calls.begin();
    this.#deliver();
    // What only has to be kept is read ahead, so that one sender's call is not behind a thousand of another's.
    return this.#shared.calls.waiting;
  }

  /**
   * Sends a message, and takes the OwnedFds in its body when it returns.
   * @param delivery told what becomes of it
   * @returns its bytes
   * @throws {WireError | BusClosedError} when it is not sent; the fds are still the caller's then
   */
  send(message: OutgoingMessage, delivery?: Delivery): number {
    if (!this.#open) throw new BusClosedError(`the connection to ${this.#terms.peer} is closed`);
    const { bytes, fds } = this.#shared.writer.write(message);
    const { length } = bytes;
    this.#transport.send({ bytes, fds, dropped: delivery?.dropped, sent: delivery?.sent });
    return length;
  }

  /** Hands out no further call of a sender until something settled. */
  hold(sender: string, until: Promise<void>): void {
    this.#shared.calls.hold(sender, until, this.#source.line);
  }

  #deliver(): void {
    for (let done = 0; done < WEIGHT_PER_TURN;) {
      const frame = this.#nextFrame();
      if (frame === undefined) {
        if (this.#open) this.#transport.resume();
        return;
      }
      done += WEIGHT[this.#take(frame)];
      if (!this.#open) return;
    }
    this.#transport.hold();
    // A channel's bytes are in a buffer that others read into before this goes on.
    if (this.#terms.channel !== undefined) this.#framer.keep();
    this.#goOn();
  }

  #goOn(): void {
    setImmediate(() => {
      if (!this.#open) return;
      this.#shared.calls.begin();
      this.#deliver();
    });
  }

  /** @returns what became of it */
  #take(frame: Frame): keyof typeof WEIGHT {
    if (frame.header.type === MESSAGE_TYPE.call) return this.#shared.calls.take(frame, this.#source);
    this.#dispatch(frame);
    return 'handled';
  }

  #nextFrame(): Frame | undefined {
    try {
      return this.#framer.next();
    } catch (error) {
      const text = `${this.#terms.peer} sent something that is no message`;
      this.#transport.close(new BusClosedError(text, { cause: error, reason: 'no-message' }));
      return undefined;
    }
  }

  #dispatch({ header, body, fds }: Frame): void {
    const messageFds = new MessageFds(fds);
    try {
      // The specification has unknown types ignored.
      if (!KNOWN_TYPES.has(header.type)) return;
      const values = this.#read(header, body, messageFds);
      if (header.type !== MESSAGE_TYPE.call) this.#events.heard(header, values, messageFds);
      else if (values instanceof WireError) this.#events.refused(header, values);
      else this.#events.called(header, values, messageFds);
    } catch (error) {
      this.#events.fault(error);
    } finally {
      this.#closing(() => {
        messageFds.closeRest();
      });
    }
  }

  #read(header: Header, body: Buffer | undefined, fds: MessageFds): readonly WireValue[] | WireError {
    const { type, little, signature = '', fault } = header;
    if (fault !== undefined) return new WireError(`the message is not valid: ${faultText(fault)}`);
    if (body === undefined) return new WireError('the message is larger than is taken', 'limit');
    const { values } = this.#terms.budgetFor(type);
    try {
      return this.#shared.bodies.read(body, little, signature, { fds: fds.count, values });
    } catch (error) {
      if (error instanceof WireError) return error;
      throw error;
    }
  }

  #closing(close: () => void): void {
    try {
      close();
    } catch (error) {
      this.#events.fault(error);
    }
  }

  #end(reason: BusClosedError | undefined): void {
    this.#open = false;
    this.#closing(() => {
      this.#framer.dispose();
    });
    this.#events.closed(reason);
  }
}

const TOO_MUCH = new WireError(
  'too much that you asked waits; ask again when some of it is answered',
  'limit',
);
