import MessageBus from 'dbus-next/lib/bus.js';
import { Message } from 'dbus-next/lib/message-type.js';

import type { CallAccounts } from '../accounts/account.js';
import { addMatch, DRIVER, getBusId, removeMatch } from './driver.js';
import { FLAG, MESSAGE_TYPE } from './header.js';
import { CallReception } from './call-reception.js';
import { ServedChannel } from './channel.js';
import { withinClosing } from './closing.js';
import type { ReplyPath } from './incoming-call.js';
import { closeFdsIn } from './message-fds.js';
import { MessageStream, wireSerial, type IncomingMessage } from './message-stream.js';
import { openSocketPair, SocketSpace } from './socket.js';
import { PendingCalls, SentReplies } from './pending-calls.js';
import type { Transport } from './transport.js';
import {
  BusCallError,
  BusClosedError,
  type Bus,
  type Channel,
  type IncomingCall,
  type IncomingSignal,
  type MethodCall,
  type OutgoingSignal,
  type Reply,
} from './bus-types.js';
import type { OwnedFd } from '../owned-fd.js';

export interface BusBehaviour {
  /** Milliseconds. */
  readonly callTimeout: number;
  readonly onFault: (error: unknown) => void;
}

interface Listener {
  readonly accepts: (signal: IncomingSignal) => boolean;
  readonly handler: (signal: IncomingSignal) => void;
}

/** A Bus on dbus-next's MessageBus, which greets the bus, counts the serials and hands out what comes in. */
export class ConnectedBus implements Bus {
  readonly closed: Promise<BusClosedError | undefined>;
  readonly #behaviour: BusBehaviour;
  readonly #transport: Transport;
  readonly #messages: MessageBus;
  readonly #stream: MessageStream;
  readonly #path: ReplyPath;
  readonly #reception: CallReception;
  readonly #pending = new PendingCalls<Reply>();
  readonly #sent = new SentReplies();
  readonly #listeners = new Set<Listener>();
  /** Made with the first channel. */
  #channelSpace: SocketSpace | undefined;
  #channels = 0;
  #id = '';

  private constructor(transport: Transport, behaviour: BusBehaviour) {
    this.#behaviour = behaviour;
    this.#transport = transport;
    this.#reception = new CallReception(behaviour.onFault);
    let settle: (reason: BusClosedError | undefined) => void = () => undefined;
    this.closed = new Promise((resolve) => {
      settle = resolve;
    });
    const stream = new MessageStream(transport, {
      called: (header, body, fds) => {
        this.#reception.called(header, this.#path, body, fds);
      },
      refused: (header, error) => {
        this.#reception.refused(header, this.#path, error);
      },
      closed: (reason) => {
        this.#pending.rejectAll(reason ?? new BusClosedError('the connection was closed'));
        settle(reason);
      },
      fault: behaviour.onFault,
    });
    this.#stream = stream;
    this.#messages = new MessageBus(stream);
    this.#path = {
      overChannel: false,
      // Every field by its name: a copy with one more field costs several times what this does.
      send: ({ type, flags, errorName, replySerial, destination, signature, body }, delivery) => {
        const serial = this.#nextSerial();
        stream.send({ type, flags, serial, errorName, replySerial, destination, signature, body }, delivery);
        if (delivery !== undefined) this.#sent.add(serial, delivery.dropped);
      },
      hold: (sender, until) => {
        stream.hold(sender, until);
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
    this.#reception.follow(handler);
    if (accounts !== undefined) this.#stream.account(accounts);
  }

  openChannel(owner: string): { readonly channel: Channel; readonly client: OwnedFd } {
    this.#channelSpace ??= new SocketSpace();
    const { socket, other } = openSocketPair(this.#channelSpace);
    this.#channels += 1;
    try {
      const channel = new ServedChannel(socket, {
        owner,
        line: `${owner} ${this.#channels}`,
        guid: this.#id,
        shared: this.#stream.shared,
        reception: this.#reception,
        onFault: this.#behaviour.onFault,
      });
      return { channel, client: other };
    } catch (error) {
      // Where the kernel has no room to watch it.
      socket.close();
      other.close();
      throw error;
    }
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
    await withinClosing(this.#transport.emptied());
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

  #guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#behaviour.onFault(error);
    }
  }
}

function callError({ errorName = '', body: [text, ...details] }: IncomingMessage): BusCallError {
  return new BusCallError(errorName, typeof text === 'string' ? text : '', details);
}
