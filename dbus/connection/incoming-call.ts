import { Message } from 'dbus-next/lib/message-type.js';

import { FLAG, MESSAGE_TYPE } from './header.js';
import { closeFdsIn, MessageFds } from './message-fds.js';
import type { Header } from './header-reader.js';
import { TrackedMessage, type Fate } from './message-stream.js';
import { BusClosedError, type IncomingCall, type WireValue } from './types.js';

/** What an answer needs of the connection. */
export interface AnswerChannel {
  /** @throws {WireError | BusClosedError} the fds in the body are still the caller's then */
  send(message: Message): void;
  /** Like `send`; tells when the bus does not deliver it after all. */
  sendTracked(message: TrackedMessage): void;
  /** Tells of a mistake of ours that the other side must not see. */
  fault(error: unknown): void;
}

/** Without body and fds when it could not be read, and is only to be answered. */
export interface CallMessage extends Header {
  readonly body?: readonly WireValue[];
  readonly fds?: MessageFds;
}

/** A received call, and its one answer. */
export class AnswerableCall implements IncomingCall {
  readonly sender: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly signature: string;
  readonly body: readonly WireValue[];
  readonly fds: MessageFds;
  readonly expectsReply: boolean;
  readonly allowsInteraction: boolean;
  readonly #serial: number;
  readonly #channel: AnswerChannel;
  #answered = false;

  constructor(message: CallMessage, channel: AnswerChannel) {
    this.sender = message.sender ?? '';
    this.path = message.path ?? '';
    this.interface = message.interface ?? '';
    this.member = message.member ?? '';
    this.signature = message.signature ?? '';
    this.body = message.body ?? [];
    this.fds = message.fds ?? new MessageFds([]);
    this.expectsReply = (message.flags & FLAG.noReply) === 0;
    this.allowsInteraction = (message.flags & FLAG.allowInteraction) !== 0;
    this.#serial = message.serial;
    this.#channel = channel;
  }

  reply(
    signature = '',
    body: readonly WireValue[] = [],
    undelivered: () => void = nothing,
    sent: () => void = nothing,
  ): void {
    const fate = { dropped: this.#once(undelivered), sent: this.#once(sent) };
    if (this.#answer({ type: MESSAGE_TYPE.reply, signature, body }, fate)) return;
    closeFdsIn(body);
    fate.dropped();
  }

  error(name: string, message: string): void {
    this.#answer(errorAnswer(name, message));
  }

  /** Answers a call whose handler failed; what failed stays with us. */
  fail(): void {
    this.#answer(FAILED);
  }

  /** @returns whether it was sent as it is */
  #answer(answer: Answer, fate = NOBODY_ASKS): boolean {
    if (this.#answered) return false;
    this.#answered = true;
    if (!this.expectsReply) return false;
    if (this.#send(answer, fate)) return true;
    this.#send(FAILED, NOBODY_ASKS);
    return false;
  }

  #send(answer: Answer, fate: Fate): boolean {
    const destination = this.sender === '' ? undefined : this.sender;
    const fields = { ...answer, flags: FLAG.noReply, destination, replySerial: this.#serial };
    try {
      if (fate.dropped === nothing && fate.sent === nothing) this.#channel.send(new Message(fields));
      else this.#channel.sendTracked(new TrackedMessage(fields, fate));
      return true;
    } catch (error) {
      if (!(error instanceof BusClosedError)) this.#channel.fault(error);
      return false;
    }
  }

  /** Of several ways to learn what became of a reply, the first tells, and no mistake in it goes further. */
  #once(tell: () => void): () => void {
    if (tell === nothing) return nothing;
    let told = false;
    return () => {
      if (told) return;
      told = true;
      try {
        tell();
      } catch (error) {
        this.#channel.fault(error);
      }
    };
  }
}

const nothing = (): void => undefined;
const NOBODY_ASKS: Fate = { dropped: nothing, sent: nothing };

interface Answer {
  readonly type: number;
  readonly errorName?: string;
  readonly signature: string;
  readonly body: readonly WireValue[];
}

const errorAnswer = (errorName: string, message: string): Answer => ({
  type: MESSAGE_TYPE.error,
  errorName,
  signature: 's',
  body: [message],
});

const FAILED = errorAnswer('org.freedesktop.DBus.Error.Failed', 'The service made a mistake.');
