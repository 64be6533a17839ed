import type { Header } from './header-reader.js';
import { AnswerableCall, type ReplyPath } from './incoming-call.js';
import type { MessageFds } from './message-fds.js';
import type { IncomingCall, WireValue } from './bus-types.js';
import type { WireError } from './wire-error.js';

/** Gives calls to the one handler of a process, over whatever socket they came. */
export class CallReception {
  readonly #onFault: (error: unknown) => void;
  #handler: ((call: IncomingCall) => void) | undefined;

  /** @param onFault told of what a handler threw */
  constructor(onFault: (error: unknown) => void) {
    this.#onFault = onFault;
  }

  follow(handler: (call: IncomingCall) => void): void {
    this.#handler = handler;
  }

  called(header: Header, path: ReplyPath, body: readonly WireValue[], fds: MessageFds): void {
    const call = new AnswerableCall(header, path, body, fds);
    if (this.#handler === undefined) {
      call.error('org.freedesktop.DBus.Error.UnknownMethod', 'This connection answers no calls.');
      return;
    }
    try {
      this.#handler(call);
    } catch (error) {
      this.#onFault(error);
      call.fail();
    }
  }

  refused(header: Header, path: ReplyPath, error: WireError): void {
    const name = error.code === 'limit' ? 'LimitsExceeded' : 'InvalidArgs';
    new AnswerableCall(header, path).error(`org.freedesktop.DBus.Error.${name}`, error.message);
  }
}
