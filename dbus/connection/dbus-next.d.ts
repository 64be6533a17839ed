// dbus-next types its front door only; these are the two modules behind it that this connection runs on.

declare module 'dbus-next/lib/message-type.js' {
  interface MessageInit {
    type?: number;
    serial?: number;
    flags?: number;
    path?: string | undefined;
    interface?: string | undefined;
    member?: string | undefined;
    errorName?: string | undefined;
    replySerial?: number | undefined;
    destination?: string | undefined;
    signature?: string | undefined;
    body?: readonly unknown[];
  }

  export class Message {
    /** @throws {Error} when a name is not valid or a field that the type needs is missing */
    constructor(init: MessageInit);
    readonly type: number;
    serial: number;
    readonly flags: number;
    readonly path: string | undefined;
    readonly interface: string | undefined;
    readonly member: string | undefined;
    readonly errorName: string | undefined;
    readonly replySerial: number | undefined;
    readonly destination: string | undefined;
    readonly signature: string;
    readonly body: readonly unknown[];
  }
}

declare module 'dbus-next/lib/bus.js' {
  import type { EventEmitter } from 'node:events';
  import type { Message } from 'dbus-next/lib/message-type.js';

  class MessageBus extends EventEmitter {
    /** Greets the bus at once: calls `message` with Hello before it returns, and emits `connect` with the answer. */
    constructor(connection: EventEmitter & { message(message: Message): void });
    /** Our unique name, null until `connect`. */
    readonly name: string | null;
    newSerial(): number;
    send(message: Message): void;
  }

  export default MessageBus;
}
