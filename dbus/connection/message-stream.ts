import { EventEmitter } from 'node:events';

import type { Message } from 'dbus-next/lib/message-type.js';

import type { CallAccounts } from '../accounts/account.js';
import { DRIVER } from './driver.js';
import type { Header } from './header-reader.js';
import { MESSAGE_TYPE } from './header.js';
import type { MessageFds } from './message-fds.js';
import { MessagePump, type Delivery, type PumpEvents, type SharedParts } from './message-pump.js';
import type { OutgoingMessage } from './message-writer.js';
import { budgetFor, sharedParts } from './shared-parts.js';
import type { Transport } from './transport.js';
import { BusClosedError, type WireValue } from './bus-types.js';
import { WireError } from './wire-error.js';

/** A message that was received whole and is well-formed. It has the shape that dbus-next's MessageBus expects. */
export interface IncomingMessage extends Header {
  readonly signature: string;
  readonly body: readonly WireValue[];
  readonly fds: MessageFds;
}

/** Calls do not go through MessageBus, which would look at them a second time. */
export type StreamEvents = Omit<PumpEvents, 'heard'>;

/** MessageBus counts on without end; a serial has 32 bits and is never 0. */
export const wireSerial = (count: number): number => ((count - 1) % 0xffff_ffff) + 1;

/**
 * The connection under dbus-next's MessageBus: it emits `message` for all that comes in but calls, and takes in `message()`
 * what goes out.
 */
export class MessageStream extends EventEmitter {
  /** Shared with the channels of this process. */
  readonly shared: SharedParts;
  readonly #transport: Transport;
  readonly #pump: MessagePump;
  /** Serial of the first message that was sent, which is MessageBus's Hello. */
  #greeting: number | undefined;
  /** The bus answers Hello before it lets anybody send to us, so that a second answer is a stranger's. */
  #greeted = false;

  /** Takes the transport over, once its handshake is done. */
  constructor(transport: Transport, events: StreamEvents) {
    super();
    this.#transport = transport;
    this.shared = sharedParts(transport);
    const { calls } = this.shared;
    const ownEvents: PumpEvents = {
      ...events,
      heard: (header, values, fds) => {
        if (values instanceof WireError) this.#hearWrong(header, values, fds);
        else this.#hear({ ...header, signature: header.signature ?? '', body: values, fds });
      },
      closed: (reason) => {
        calls.close();
        events.closed(reason);
      },
    };
    this.#pump = new MessagePump(transport, this.shared, ownEvents, { budgetFor, peer: 'the bus' });
  }

  /** Bytes that are remembered of messages and of what is made of them, by an estimate. */
  get cacheBytes(): number {
    return this.shared.memory.bytes;
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
    const bytes = this.#pump.send(message, delivery);
    this.#greeting ??= message.serial;
    // What this side asks of a service is no answer that a user leaves unread.
    const isAnswer = message.type !== MESSAGE_TYPE.call;
    if (isAnswer && message.destination?.startsWith(':') === true)
      this.shared.calls.sent(message.destination, bytes);
  }

  /** Takes turns by these users from now on. */
  account(accounts: CallAccounts): void {
    this.shared.calls.follow(accounts);
  }

  /** Hands out no further call of a sender until something settled. */
  hold(sender: string, until: Promise<void>): void {
    this.#pump.hold(sender, until);
  }

  #hear(message: IncomingMessage): void {
    const gone = departed(message);
    if (gone !== undefined) this.shared.calls.left(gone);
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

  /** A reply that cannot be read still ends the call that waits for it. */
  #hearWrong(header: Header, error: WireError, fds: MessageFds): void {
    if (header.type !== MESSAGE_TYPE.reply && header.type !== MESSAGE_TYPE.error) return;
    const errorName = 'org.freedesktop.DBus.Error.InconsistentMessage';
    this.#hear({
      ...header,
      type: MESSAGE_TYPE.error,
      errorName,
      signature: 's',
      body: [error.message],
      fds,
    });
  }
}

/** The connection that a message of the bus itself says has left. */
function departed({ type, sender, member, body: [name, , owner] }: IncomingMessage): string | undefined {
  if (type !== MESSAGE_TYPE.signal || sender !== DRIVER || member !== 'NameOwnerChanged') return undefined;
  return owner === '' && typeof name === 'string' ? name : undefined;
}
