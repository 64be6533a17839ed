import type { OwnedFd } from '../owned-fd.js';
import type { CallAccounts } from '../accounts/account.js';
import type { Prepared } from './prepared.js';

/**
 * D-Bus values as this project handles them. Integers of 64 bits are bigint, the others number. A dictionary is a list
 * of entries, so that a key given twice, or named `__proto__`, is seen as what it is. An `h` that was received is the
 * index into the message's fds; one that is to be sent is an OwnedFd, which the message takes. What is received is never
 * changed: the same message may be given twice.
 */
export type WireValue =
  | number
  | bigint
  | boolean
  | string
  | OwnedFd
  | Prepared<readonly WireValue[]>
  | WireVariant
  | readonly WireValue[];

/** A dictionary: `[key, value]` in the order of the message. */
export type WireDict = readonly (readonly [WireValue, WireValue])[];

export interface WireVariant {
  readonly signature: string;
  readonly value: WireValue;
}

/** The fds of a received message. The taker closes one; those not taken are closed when the message is done. */
export interface ReceivedFds {
  readonly count: number;
  /** @throws {RangeError} when there is none at that index, or it was taken */
  take(index: number): OwnedFd;
  /** Takes all that are left: the caller closes them. */
  takeAll(): OwnedFd[];
}

export interface MethodCall {
  readonly destination: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly signature?: string;
  readonly body?: readonly WireValue[];
  /** Milliseconds until the call is given up (25,000 by default); `Infinity` waits for ever. */
  readonly timeout?: number;
  readonly allowInteraction?: boolean;
}

export interface Reply {
  readonly signature: string;
  readonly body: readonly WireValue[];
  /** The caller's from now on. */
  readonly fds: readonly OwnedFd[];
}

/** Arguments of an error after its message. They have no fds. */
export interface ErrorDetails {
  readonly signature: string;
  readonly values: readonly WireValue[];
}

/** An incoming call. Exactly one of `reply` and `error` is called; the second does nothing. */
export interface IncomingCall {
  readonly sender: string;
  readonly path: string;
  /** Empty when the caller named none. */
  readonly interface: string;
  readonly member: string;
  readonly signature: string;
  readonly body: readonly WireValue[];
  /** Valid until the handler returns; take what is needed before. */
  readonly fds: ReceivedFds;
  readonly expectsReply: boolean;
  readonly allowsInteraction: boolean;
  /** It came over a channel of the sender's, and not over the bus. */
  readonly overChannel: boolean;
  /**
   * Sends the result. Takes every OwnedFd in `body`, also when sending fails.
   * @param undelivered called at most once, when the caller will not get it: nothing was sent (the call was answered
   * already, wants no reply, the body cannot be sent, the connection is gone), or the bus sent an error back for it
   * @param sent called when all of it was handed to the bus, which may still refuse it
   */
  reply(signature?: string, body?: readonly WireValue[], undelivered?: () => void, sent?: () => void): void;
  error(name: string, message: string, details?: ErrorDetails): void;
  /** Keeps further calls of the same sender back until something settled, so that they come one by one and not at once. */
  holdFurther(until: Promise<void>): void;
}

export interface IncomingSignal {
  readonly sender: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly signature: string;
  readonly body: readonly WireValue[];
}

export interface OutgoingSignal {
  /** Unique name of the one receiver; everybody who listens when absent. */
  readonly destination?: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly signature?: string;
  readonly body?: readonly WireValue[];
}

/** The other side answered with an error. */
export class BusCallError extends Error {
  /** D-Bus error name. */
  readonly errorName: string;
  /** Arguments of the error after its message. */
  readonly details: readonly WireValue[];
  override readonly name = 'BusCallError';

  constructor(errorName: string, message: string, details: readonly WireValue[] = []) {
    super(message);
    this.errorName = errorName;
    this.details = details;
  }
}

/** No answer came in time. A late one is dropped, and its fds closed. */
export class BusTimeoutError extends Error {
  override readonly name = 'BusTimeoutError';
}

/**
 * Why a connection is gone: we closed it or it broke (`closed`), or the other side ended it, does not read, sent what is no
 * message, refused us, or did not answer in time.
 */
export type CloseReason = 'closed' | 'ended' | 'not-reading' | 'no-message' | 'refused' | 'timeout';

/** The connection is gone; every pending call ends with this. */
export class BusClosedError extends Error {
  readonly reason: CloseReason;
  override readonly name = 'BusClosedError';

  constructor(message: string, options: { cause?: unknown; reason?: CloseReason } = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.reason = options.reason ?? 'closed';
  }
}

/** A private socket over which one client calls this process without a bus in between. */
export interface Channel {
  /** Settles once, when it is gone: undefined after our own `close`, otherwise why. Never rejects. */
  readonly closed: Promise<BusClosedError | undefined>;
  /** Ends it; what was queued is sent first. */
  close(): Promise<void>;
  /** Ends it at once: no client is left to be answered. */
  end(): void;
}

/** A connection to a message bus that carries file descriptors safely (`connectBus` in bus.ts makes one). */
export interface Bus {
  /** Our unique name (`:1.5`). */
  readonly uniqueName: string;
  /** Id of the bus itself (`GetId`): a unique name means nothing without it. */
  readonly id: string;
  /** Bytes that are remembered of messages and of what is made of them, by an estimate. */
  readonly cacheBytes: number;
  /** Settles once, when the connection is gone: undefined after our own `close`, otherwise why. Never rejects. */
  readonly closed: Promise<BusClosedError | undefined>;
  /** @throws {BusCallError | BusTimeoutError | BusClosedError} */
  call(call: MethodCall): Promise<Reply>;
  /** Sends a signal. Takes every OwnedFd in the body. @throws {BusClosedError} */
  emit(signal: OutgoingSignal): void;
  /**
   * The one handler of calls; it must not throw. A call before there is a handler is answered with UnknownMethod.
   * @param accounts whose turn it is when calls wait; without them, every connection has one after the other
   */
  handleCalls(handler: (call: IncomingCall) => void, accounts?: CallAccounts): void;
  /**
   * Opens a channel for a connection of the bus. Its calls go to the handler of calls, with that connection as their
   * sender, and wait in a line of their own among those of the same user. No descriptors come over it.
   * @returns with the client's end, which is the caller's
   * @throws {SocketError}
   */
  openChannel(owner: string): { readonly channel: Channel; readonly client: OwnedFd };
  /** Subscribes by match rule at the bus and hands over what fits `accepts`; dispose to end it. */
  listen(
    rule: string,
    accepts: (signal: IncomingSignal) => boolean,
    handler: (signal: IncomingSignal) => void,
  ): Promise<AsyncDisposable>;
  /** Ends the connection; what was queued is sent first. */
  close(): Promise<void>;
}
