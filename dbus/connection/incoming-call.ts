import { FLAG, MESSAGE_TYPE } from './header.js';
import { closeFdsIn, MessageFds } from './message-fds.js';
import type { Header } from './header-reader.js';
import type { Delivery } from './message-pump.js';
import type { OutgoingMessage } from './message-writer.js';
import { BusClosedError, type ErrorDetails, type IncomingCall, type WireValue } from './bus-types.js';

/** What an answer needs of the connection that the call came over. */
export interface ReplyPath {
  /** The call came over a channel, and not over the bus. */
  readonly overChannel: boolean;
  /**
   * @param delivery told what becomes of it, also when the bus does not deliver it after all
   * @throws {WireError | BusClosedError} the fds in the body are still the caller's then
   */
  send(message: Omit<OutgoingMessage, 'serial'>, delivery?: Delivery): void;
  /** Hands out no further call of a sender until something settled. */
  hold(sender: string, until: Promise<void>): void;
  /** Tells of a mistake of ours that the other side must not see. */
  fault(error: unknown): void;
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
  readonly overChannel: boolean;
  readonly #serial: number;
  readonly #path: ReplyPath;
  #answered = false;

  /** Without body and fds when it could not be read, and is only to be answered. */
  constructor(header: Header, path: ReplyPath, body?: readonly WireValue[], fds?: MessageFds) {
    this.sender = header.sender ?? '';
    this.path = header.path ?? '';
    this.interface = header.interface ?? '';
    this.member = header.member ?? '';
    this.signature = header.signature ?? '';
    this.body = body ?? [];
    this.fds = fds ?? new MessageFds([]);
    this.expectsReply = (header.flags & FLAG.noReply) === 0;
    this.allowsInteraction = (header.flags & FLAG.allowInteraction) !== 0;
    this.#serial = header.serial;
    this.overChannel = path.overChannel;
    this.#path = path;
  }

  reply(
    signature = '',
    body: readonly WireValue[] = [],
    undelivered: () => void = nothing,
    sent: () => void = nothing,
  ): void {
    const isAsked = undelivered !== nothing || sent !== nothing;
    const delivery = isAsked ? { dropped: this.#once(undelivered), sent: this.#once(sent) } : undefined;
    if (this.#answer({ type: MESSAGE_TYPE.reply, signature, body }, delivery)) return;
    closeFdsIn(body);
    delivery?.dropped();
  }

  holdFurther(until: Promise<void>): void {
    this.#path.hold(this.sender, until);
  }

  error(name: string, message: string, details?: ErrorDetails): void {
    this.#answer(errorAnswer(name, message, details));
  }

  /** Answers a call whose handler failed; what failed stays with us. */
  fail(): void {
    this.#answer(FAILED);
  }

  /** @returns whether it was sent as it is */
  #answer(answer: Answer, delivery?: Delivery): boolean {
    if (this.#answered) return false;
    this.#answered = true;
    if (!this.expectsReply) return false;
    if (this.#send(answer, delivery)) return true;
    this.#send(FAILED, undefined);
    return false;
  }

  #send(answer: Answer, delivery: Delivery | undefined): boolean {
    const { type, errorName, signature, body } = answer;
    const destination = this.sender === '' ? undefined : this.sender;
    const flags = FLAG.noReply;
    try {
      this.#path.send(
        { type, flags, errorName, replySerial: this.#serial, destination, signature, body },
        delivery,
      );
      return true;
    } catch (error) {
      if (!(error instanceof BusClosedError)) this.#path.fault(error);
      return false;
    }
  }

  /** The first of several ways to learn what became of a reply counts, and no mistake in it goes further. */
  #once(tell: () => void): () => void {
    if (tell === nothing) return nothing;
    let told = false;
    return () => {
      if (told) return;
      told = true;
      try {
        tell();
      } catch (error) {
        this.#path.fault(error);
      }
    };
  }
}

const nothing = (): void => undefined;

interface Answer {
  readonly type: number;
  readonly errorName?: string;
  readonly signature: string;
  readonly body: readonly WireValue[];
}

const NO_DETAILS: ErrorDetails = { signature: '', values: [] };

const errorAnswer = (
  errorName: string,
  message: string,
  { signature, values }: ErrorDetails = NO_DETAILS,
): Answer => ({
  type: MESSAGE_TYPE.error,
  errorName,
  signature: `s${signature}`,
  body: [message, ...values],
});

const FAILED = errorAnswer('org.freedesktop.DBus.Error.Failed', 'The service has a bug.');
