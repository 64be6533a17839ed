import { EventEmitter } from 'node:events';

import type { Message } from 'dbus-next/lib/message-type.js';

import { Accounts, type CallAccounts } from '../accounts/account.js';
import { CacheMemory } from '../bounded-cache.js';
import { closeAll } from '../owned-fd.js';
import { CallQueue } from './call-queue.js';
import { DRIVER } from './driver.js';
import { Framer, type Frame } from './framer.js';
import { faultText, type Header } from './header-reader.js';
import { MESSAGE_TYPE } from './header.js';
import { BodyCache } from './body-cache.js';
import { SignatureCache } from './signature-cache.js';
import { REPLY_BUDGET, STRANGERS_BUDGET, type DecodeBudget } from './limits.js';
import { MessageFds } from './message-fds.js';
import { MessageWriter, type OutgoingMessage } from './message-writer.js';
import type { Transport } from './transport.js';
import { BusClosedError, type WireValue } from './bus-types.js';
import { WireError } from './wire-error.js';

/** A message that was received whole and is well-formed. It has the shape that dbus-next's MessageBus expects. */
export interface IncomingMessage extends Header {
  readonly signature: string;
  readonly body: readonly WireValue[];
  readonly fds: MessageFds;
}

/** What its sender wants to know of a message; neither throws. */
export interface Delivery {
  /** It cannot arrive any more. */
  readonly dropped: () => void;
  /** It went to the bus, which may still refuse it. */
  readonly sent: () => void;
}

export interface StreamEvents {
  /** A call that is well-formed. It does not go through MessageBus, which would look at it a second time. */
  called(call: Header, body: readonly WireValue[], fds: MessageFds): void;
  /** A call whose body or header is wrong, or too large to be read: it is to be answered with an error. */
  refused(call: Header, error: WireError): void;
  closed(reason: BusClosedError | undefined): void;
  /** Something of ours went wrong that must not reach the other side. */
  fault(error: unknown): void;
}

/** MessageBus counts on without end; a serial has 32 bits and is never 0. */
export const wireSerial = (count: number): number => ((count - 1) % 0xffff_ffff) + 1;

const KNOWN_TYPES: ReadonlySet<number> = new Set(Object.values(MESSAGE_TYPE));

/** Messages between two looks at the rest of the event loop: so many that are handled, or more that cost less. */
const WEIGHT_PER_TURN = 256;
const WEIGHT = { handled: 16, refused: 2, kept: 1 } as const;

/** Bytes that all caches of a connection hold together. */
const MAX_CACHE_BYTES = 8 * 2 ** 20;

/**
 * The connection under dbus-next's MessageBus: it emits `message` for all that comes in but calls, and takes in `message()`
 * what goes out. What is wrong with one message ends with that message; a stream that cannot be followed further is closed.
 */
export class MessageStream extends EventEmitter {
  readonly #transport: Transport;
  readonly #events: StreamEvents;
  readonly #calls: CallQueue;
  readonly #memory = new CacheMemory(MAX_CACHE_BYTES);
  readonly #framer = new Framer((type) => budgetFor(type).body, this.#memory);
  readonly #signatures = new SignatureCache(this.#memory);
  readonly #bodies = new BodyCache(this.#signatures, this.#memory);
  readonly #writer = new MessageWriter(this.#signatures, this.#memory);
  /** Serial of the first message that was sent, which is MessageBus's Hello. */
  #greeting: number | undefined;
  /** The bus answers Hello before it lets anybody send to us, so that a second answer is a stranger's. */
  #greeted = false;
  #open = true;

  /** Takes the transport over, once its handshake is done. */
  constructor(transport: Transport, events: StreamEvents) {
    super();
    this.#transport = transport;
    this.#events = events;
    const handler = {
      handle: (frame: Frame): void => {
        this.#dispatch(frame);
      },
      refuse: ({ header, fds }: Frame): void => {
        this.#closeRest({
          closeRest: () => {
            closeAll(fds);
          },
        });
        events.refused(header, TOO_MUCH);
      },
      get congested(): boolean {
        return transport.congested;
      },
    };
    // Until `account` says whose connections are, all are one account's.
    const { strangers } = new Accounts();
    this.#calls = new CallQueue(() => performance.now(), handler, { strangers, ofSender: () => undefined });
    transport.deliverTo({
      received: (bytes, fds, lost) => {
        this.#framer.push(bytes, fds, lost);
        this.#calls.begin();
        this.#deliver();
        // What only has to be kept is read ahead, so that one sender's call is not behind a thousand of another's.
        return this.#calls.waiting;
      },
      flowing: () => {
        this.#calls.resume();
      },
      closed: (reason) => {
        this.#end(reason);
      },
    });
  }

  /** Sends a message of MessageBus's, as `send` does. */
  message(message: Message): void {
    const { type, flags, path, member, errorName, replySerial, destination, signature } = message;
    const fields = { path, interface: message.interface, member, errorName, replySerial, destination };
    // Every body is built in this directory, of WireValues.
    const body = message.body as readonly WireValue[];
    this.send({ type, flags, serial: wireSerial(message.serial), ...fields, signature, body });
  }

  /**
   * Sends a message, and takes the OwnedFds in its body when it returns.
   * @param delivery told what becomes of it
   * @throws {WireError | BusClosedError} when it is not sent; the fds are still the caller's then
   */
  send(message: OutgoingMessage, delivery?: Delivery): void {
    if (!this.#open) throw new BusClosedError('the connection to the bus is closed');
    this.#greeting ??= message.serial;
    const { bytes, fds } = this.#writer.write(message);
    const { length } = bytes;
    this.#transport.send({ bytes, fds, dropped: delivery?.dropped, sent: delivery?.sent });
    // What this side asks of a service is no answer that a user leaves unread.
    const isAnswer = message.type !== MESSAGE_TYPE.call;
    if (isAnswer && message.destination?.startsWith(':') === true)
      this.#calls.sent(message.destination, length);
  }

  /** Takes turns by these users from now on. */
  account(accounts: CallAccounts): void {
    this.#calls.follow(accounts);
  }

  /** Hands out no further call of a sender until something settled, which never fails. */
  hold(sender: string, until: Promise<void>): void {
    this.#calls.hold(sender, until);
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
    this.#goOn();
  }

  #goOn(): void {
    setImmediate(() => {
      if (!this.#open) return;
      this.#calls.begin();
      this.#deliver();
    });
  }

  /** @returns what became of it */
  #take(frame: Frame): keyof typeof WEIGHT {
    if (frame.header.type === MESSAGE_TYPE.call) return this.#calls.take(frame);
    this.#dispatch(frame);
    return 'handled';
  }

  #nextFrame(): Frame | undefined {
    try {
      return this.#framer.next();
    } catch (error) {
      this.#transport.close(
        new BusClosedError('the bus sent something that is no message', {
          cause: error,
          reason: 'no-message',
        }),
      );
      return undefined;
    }
  }

  #dispatch({ header, body, fds }: Frame): void {
    const messageFds = new MessageFds(fds);
    try {
      // The specification has unknown types ignored, and MessageBus would take them for calls.
      if (!KNOWN_TYPES.has(header.type)) return;
      const values = this.#read(header, body, messageFds);
      if (values instanceof WireError) this.#refuse(header, values, messageFds);
      else if (header.type === MESSAGE_TYPE.call) this.#events.called(header, values, messageFds);
      else this.#emit({ ...header, signature: header.signature ?? '', body: values, fds: messageFds });
    } catch (error) {
      this.#events.fault(error);
    } finally {
      this.#closeRest(messageFds);
    }
  }

  #emit(message: IncomingMessage): void {
    const gone = departed(message);
    if (gone !== undefined) this.#calls.left(gone);
    if (this.#isRefusal(message))
      this.#transport.close(
        new BusClosedError(`the bus refused us: ${message.errorName ?? ''}`, { reason: 'refused' }),
      );
    else this.emit('message', message);
  }

  /** Whether this is the answer to Hello, and an error. */
  #isRefusal({ type, replySerial }: IncomingMessage): boolean {
    if (this.#greeted || replySerial === undefined || replySerial !== this.#greeting) return false;
    this.#greeted = true;
    return type === MESSAGE_TYPE.error;
  }

  #read(header: Header, body: Buffer | undefined, fds: MessageFds): readonly WireValue[] | WireError {
    const { type, little, signature = '', fault } = header;
    if (fault !== undefined) return new WireError(`the message is not valid: ${faultText(fault)}`);
    if (body === undefined) return new WireError('the message is larger than is taken', 'limit');
    try {
      return this.#bodies.read(body, little, signature, { fds: fds.count, values: budgetFor(type).values });
    } catch (error) {
      if (error instanceof WireError) return error;
      throw error;
    }
  }

  /** A reply that cannot be read still ends the call that waits for it. */
  #refuse(header: Header, error: WireError, fds: MessageFds): void {
    if (header.type === MESSAGE_TYPE.call) this.#events.refused(header, error);
    if (header.type !== MESSAGE_TYPE.reply && header.type !== MESSAGE_TYPE.error) return;
    const errorName = 'org.freedesktop.DBus.Error.InconsistentMessage';
    this.#emit({
      ...header,
      type: MESSAGE_TYPE.error,
      errorName,
      signature: 's',
      body: [error.message],
      fds,
    });
  }

  #closeRest(fds: { closeRest(): void }): void {
    try {
      fds.closeRest();
    } catch (error) {
      this.#events.fault(error);
    }
  }

  /** Bytes that are remembered of messages and of what is made of them, by an estimate. */
  get cacheBytes(): number {
    return this.#memory.bytes;
  }

  #end(reason: BusClosedError | undefined): void {
    this.#open = false;
    this.#calls.close();
    this.#closeRest({
      closeRest: () => {
        this.#framer.dispose();
      },
    });
    this.#events.closed(reason);
  }
}

const TOO_MUCH = new WireError(
  'too much that you asked waits; ask again when some of it is answered',
  'limit',
);

function budgetFor(type: number): DecodeBudget {
  return type === MESSAGE_TYPE.reply || type === MESSAGE_TYPE.error ? REPLY_BUDGET : STRANGERS_BUDGET;
}

/** The connection that a message of the bus itself says has left. */
function departed({ type, sender, member, body: [name, , owner] }: IncomingMessage): string | undefined {
  if (type !== MESSAGE_TYPE.signal || sender !== DRIVER || member !== 'NameOwnerChanged') return undefined;
  return owner === '' && typeof name === 'string' ? name : undefined;
}
