import MessageBus from 'dbus-next/lib/bus.js';
import { Message } from 'dbus-next/lib/message-type.js';

import type { CallAccounts } from '../accounts/account.js';
import { addMatch, DRIVER, getBusId, removeMatch } from './driver.js';
import type { Header } from './header-reader.js';
import { FLAG, MESSAGE_TYPE } from './header.js';
import { AnswerableCall, type AnswerChannel } from './incoming-call.js';
import { closeFdsIn, type MessageFds } from './message-fds.js';
import { MessageStream, wireSerial, type IncomingMessage } from './message-stream.js';
import { PendingCalls, SentReplies } from './pending-calls.js';
import type { Transport } from './transport.js';
import {
  BusCallError,
  BusClosedError,
  type Bus,
  type IncomingCall,
  type IncomingSignal,
  type MethodCall,
  type OutgoingSignal,
  type Reply,
  type WireValue,
} from './bus-types.js';
import type { WireError } from './wire-error.js';

export interface BusBehaviour {
  /** Milliseconds. */
  readonly callTimeout: number;
  readonly onFault: (error: unknown) => void;
}

interface Listener {
  readonly accepts: (signal: IncomingSignal) => boolean;
  readonly handler: (signal: IncomingSignal) => void;
}

/** Milliseconds that closing waits for a bus that does not read. */
const CLOSE_TIMEOUT_MS = 1000;

/** A Bus on dbus-next's MessageBus, which greets the bus, counts the serials and hands out what comes in. */
export class ConnectedBus implements Bus {
  readonly closed: Promise<BusClosedError | undefined>;
  readonly #behaviour: BusBehaviour;
  readonly #transport: Transport;
  readonly #messages: MessageBus;
  readonly #stream: MessageStream;
  readonly #channel: AnswerChannel;
  readonly #pending = new PendingCalls<Reply>();
  readonly #sent = new SentReplies();
  readonly #listeners = new Set<Listener>();
  #handler: ((call: IncomingCall) => void) | undefined;
  #id = '';

  private constructor(transport: Transport, behaviour: BusBehaviour) {
    this.#behaviour = behaviour;
    this.#transport = transport;
    let settle: (reason: BusClosedError | undefined) => void = () => undefined;
    this.closed = new Promise((resolve) => {
      settle = resolve;
    });
    const stream = new MessageStream(transport, {
      called: (header, body, fds) => {
        this.#guard(() => {
          this.#answer(header, body, fds);
        });
      },
      refused: (call, error) => {
        this.#refuse(call, error);
      },
      closed: (reason) => {
        this.#pending.rejectAll(reason ?? new BusClosedError('the connection was closed'));
        settle(reason);
      },
      fault: behaviour.onFault,
    });
    this.#stream = stream;
    this.#messages = new MessageBus(stream);
    this.#channel = {
      // Every field by its name: a copy with one more field costs several times what this does.
      send: ({ type, flags, errorName, replySerial, destination, signature, body }, delivery) => {
        const serial = this.#nextSerial();
        stream.send({ type, flags, serial, errorName, replySerial, destination, signature, body }, delivery);
        if (delivery !== undefined) this.#sent.add(serial, delivery.dropped);
      },
      hold: (sender, until) => {
        stream.hold(sender, settled(until));
      },
      fault: behaviour.onFault,
    };
    // MessageBus sends the stack of whatever is thrown here to the other side, so that nothing may be.
    this.#messages.on('message', (message: IncomingMessage) => {
      this.#guard(() => {
        this.#receive(message);
      });
    });
  }

  /** Greets the bus. Takes the transport. @throws {BusClosedError | BusCallError | BusTimeoutError} */
  static async greet(transport: Transport, behaviour: BusBehaviour): Promise<ConnectedBus> {
    const bus = new ConnectedBus(transport, behaviour);
    const greeted = new Promise<'greeted'>((resolve) => {
      bus.#messages.once('connect', () => {
        resolve('greeted');
      });
    });
    const outcome = await Promise.race([greeted, bus.closed]);
    if (outcome !== 'greeted') throw outcome ?? new BusClosedError('the connection was closed');
    bus.#id = await getBusId(bus);
    return bus;
  }

  get uniqueName(): string {
    return this.#messages.name ?? '';
  }

  get cacheBytes(): number {
    return this.#stream.cacheBytes;
  }

  get id(): string {
    return this.#id;
  }

  async call(call: MethodCall): Promise<Reply> {
    const { destination, path, member, signature, body = [], timeout = this.#behaviour.callTimeout } = call;
    const flags = call.allowInteraction === true ? FLAG.allowInteraction : 0;
    const serial = this.#newSerial();
    const answer = this.#pending.add(serial, {
      to: destination,
      what: `${call.interface}.${member}`,
      timeout,
    });
    try {
      const fields = { destination, path, interface: call.interface, member, signature, body };
      this.#messages.send(new Message({ type: MESSAGE_TYPE.call, flags, serial, ...fields }));
    } catch (error) {
      closeFdsIn(body);
      this.#pending.reject(serial, error);
    }
    return answer;
  }

  emit(signal: OutgoingSignal): void {
    const { path, interface: from, member, destination, signature, body = [] } = signal;
    const type = MESSAGE_TYPE.signal;
    const flags = FLAG.noReply;
    const serial = this.#nextSerial();
    try {
      this.#stream.send({ type, flags, serial, path, interface: from, member, destination, signature, body });
    } catch (error) {
      closeFdsIn(body);
      throw error;
    }
  }

  handleCalls(handler: (call: IncomingCall) => void, accounts?: CallAccounts): void {
    this.#handler = handler;
    if (accounts !== undefined) this.#stream.account(accounts);
  }

  async listen(
    rule: string,
    accepts: (signal: IncomingSignal) => boolean,
    handler: (signal: IncomingSignal) => void,
  ): Promise<AsyncDisposable> {
    const listener = { accepts, handler };
    this.#listeners.add(listener);
    try {
      await addMatch(this, rule);
    } catch (error) {
      this.#listeners.delete(listener);
      throw error;
    }
    return {
      [Symbol.asyncDispose]: async () => {
        if (this.#listeners.delete(listener)) await this.#forget(rule);
      },
    };
  }

  async close(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, CLOSE_TIMEOUT_MS);
    });
    await Promise.race([this.#transport.emptied(), timeout]);
    clearTimeout(timer);
    this.#transport.close();
    await this.closed;
  }

  async #forget(rule: string): Promise<void> {
    try {
      await removeMatch(this, rule);
    } catch (error) {
      // A bus that is gone has forgotten the rule.
      if (!(error instanceof BusClosedError)) throw error;
    }
  }

  #newSerial(): number {
    let serial = this.#nextSerial();
    while (this.#pending.has(serial)) serial = this.#nextSerial();
    return serial;
  }

  #nextSerial(): number {
    return wireSerial(this.#messages.newSerial());
  }

  #receive(message: IncomingMessage): void {
    const { type, replySerial = 0, sender, signature, body, fds } = message;
    if (type === MESSAGE_TYPE.signal) this.#hear(message);
    if (type === MESSAGE_TYPE.reply)
      this.#pending.take(replySerial, sender)?.resolve({ signature, body, fds: fds.takeAll() });
    if (type !== MESSAGE_TYPE.error) return;
    this.#pending.take(replySerial, sender)?.reject(callError(message));
    if (sender === DRIVER) this.#sent.take(replySerial)?.();
  }

  #hear(message: IncomingMessage): void {
    const { sender = '', path = '', interface: from = '', member = '', signature, body } = message;
    const signal: IncomingSignal = { sender, path, interface: from, member, signature, body };
    for (const { accepts, handler } of [...this.#listeners])
      this.#guard(() => {
        if (accepts(signal)) handler(signal);
      });
  }

  #answer(header: Header, body: readonly WireValue[], fds: MessageFds): void {
    const call = new AnswerableCall(header, this.#channel, body, fds);
    if (this.#handler === undefined) {
      call.error('org.freedesktop.DBus.Error.UnknownMethod', 'This connection answers no calls.');
      return;
    }
    try {
      this.#handler(call);
    } catch (error) {
      this.#behaviour.onFault(error);
      call.fail();
    }
  }

  #refuse(header: Header, error: WireError): void {
    const name = error.code === 'limit' ? 'LimitsExceeded' : 'InvalidArgs';
    new AnswerableCall(header, this.#channel).error(`org.freedesktop.DBus.Error.${name}`, error.message);
  }

  #guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#behaviour.onFault(error);
    }
  }
}

/** Settles when the other does, and never fails. */
const settled = (work: Promise<void>): Promise<void> => work.catch(() => undefined);

function callError({ errorName = '', body: [text, ...details] }: IncomingMessage): BusCallError {
  return new BusCallError(errorName, typeof text === 'string' ? text : '', details);
}
