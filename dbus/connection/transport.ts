import { FdWatch } from '../native/fd-watch.js';
import type { OwnedFd } from '../owned-fd.js';
import type { Packet } from './message-writer.js';
import { SendQueue, type Send } from './send-queue.js';
import type { FdStream, Received } from './socket.js';
import { BusClosedError } from './bus-types.js';

export interface TransportEvents {
  /**
   * What one read returned; the bytes stay as they are until the next read.
   * @param lost descriptors of these bytes were lost
   * @returns whether more is wanted before others have their turn: it costs little to take
   */
  received(bytes: Buffer, fds: readonly OwnedFd[], lost?: boolean): boolean;
  /** What waited to be sent has become little enough that `congested` ended. */
  flowing?(): void;
  /** Once, when the socket is gone; undefined after our own `close`. */
  closed(reason: BusClosedError | undefined): void;
}

/** What waits to be sent. */
interface Load {
  readonly bytes: number;
  readonly fds: number;
}

/** How much the other side may leave unread. */
export interface TransportTerms {
  /** The other side, for a message. */
  readonly peer: string;
  /**
   * Above this much that waits to be sent, nothing more is read: a peer that asks faster than answers leave must not cost
   * memory, nor descriptors.
   */
  readonly highWater: Load;
  /** What waits to be sent above this makes further answers late. */
  readonly congested: Load;
  /** Bytes that wait behind the first message at which the other side counts as gone: it has not read for very long. */
  readonly giveUpBytes: number;
  /** Milliseconds after which the same holds when something waits and nothing went. */
  readonly giveUpAfter: number;
  /** Descriptors that may be sent and not read. */
  readonly unreadFds: number;
}

/** For a bus, which reads for everybody. */
export const BUS_TERMS: TransportTerms = {
  peer: 'the bus',
  highWater: { bytes: 2 ** 20, fds: 256 },
  congested: { bytes: 2 ** 18, fds: 128 },
  giveUpBytes: 64 * 2 ** 20,
  giveUpAfter: Infinity,
  unreadFds: Infinity,
};

/** For the one client of a channel, of which there may be thousands. */
export const CHANNEL_TERMS: TransportTerms = {
  peer: 'the client',
  highWater: { bytes: 2 ** 16, fds: 64 },
  congested: { bytes: 2 ** 16, fds: 0 },
  giveUpBytes: 2 ** 20,
  giveUpAfter: 10_000,
  // Four full replies. What is in flight counts against this process and its user, whatever channel it is in.
  unreadFds: 256,
};

/** Reads in a turn of the event loop where more is wanted; a mebibyte, which takes half a millisecond. */
const READS_PER_TURN = 16;

/** Milliseconds after which to send again what the kernel had no room for. */
const RETRY_DELAY_MS = 20;

/** A socket with its readiness: sends without blocking and in order, reads once each time it can, or a few times. */
export class Transport {
  readonly #socket: FdStream;
  readonly #watch: FdWatch;
  readonly #queue = new SendQueue();
  readonly #emptied: (() => void)[] = [];
  readonly #send: Send;
  readonly #terms: TransportTerms;
  #events: TransportEvents;
  /** Descriptors that were sent since it was last known that all was read. */
  #unreadFds = 0;
  /** As many descriptors as may be are unread, so that the next cannot go. */
  #isUnread = false;
  /** Ends the connection, where something waits that does not go. */
  #giveUp: NodeJS.Timeout | undefined;
  #held = false;
  #blocked = false;
  #retry: NodeJS.Timeout | undefined;
  /** The kernel reported an error: what it still has to read is read, but nothing will announce it. */
  #failing = false;
  #open = true;

  /** Takes the socket, and starts reading. */
  constructor(socket: FdStream, events: TransportEvents, terms: TransportTerms = BUS_TERMS) {
    this.#socket = socket;
    this.#events = events;
    this.#terms = terms;
    this.#send = (bytes, fds) => {
      this.#isUnread = fds.length > 0 && !this.#mayBeUnread(fds.length);
      if (this.#isUnread) return 'exhausted';
      const sent = socket.send(bytes, fds);
      if (typeof sent === 'number') {
        this.#unreadFds += fds.length;
        this.#wentOn();
      }
      return sent;
    };
    this.#watch = new FdWatch(socket.fd, (ready, failed) => {
      this.#failing ||= failed;
      if (ready.writable) this.#flush();
      if (ready.readable || failed) this.#read();
    });
    this.#adjust();
  }

  /** From now on, another listener is told. */
  deliverTo(events: TransportEvents): void {
    this.#events = events;
  }

  /**
   * Sends, now or when it can be, and takes the fds. The bytes may be used again afterwards.
   * @throws {BusClosedError} when the connection is gone
   */
  send(packet: Packet): void {
    if (!this.#open) throw new BusClosedError(`the connection to ${this.#terms.peer} is closed`);
    if (this.#blocked || this.#retry !== undefined) {
      this.#queue.push(packet);
      this.#adjust();
    } else this.#flush(packet);
    if (this.#queue.bytesBehindFirst > this.#terms.giveUpBytes) this.#endUnread();
    else if (this.#queue.bytes > 0) this.#awaitProgress();
  }

  get open(): boolean {
    return this.#open;
  }

  /** So much waits to be sent that what is sent now takes long to leave. */
  get congested(): boolean {
    return this.#isCongested();
  }

  /** Stops reading until `resume`. */
  hold(): void {
    this.#held = true;
    this.#adjust();
  }

  resume(): void {
    if (!this.#held) return;
    this.#held = false;
    this.#adjust();
    if (this.#failing) this.#read();
  }

  /** Settles when nothing waits to be sent, or nothing can be sent any more. */
  async emptied(): Promise<void> {
    if (!this.#open || this.#queue.bytes === 0) return;
    await new Promise<void>((resolve) => this.#emptied.push(resolve));
  }

  /** @param reason why, when it is not what our side asked for */
  close(reason?: BusClosedError): void {
    this.#end(reason);
  }

  /** @param packet a new one, before which nothing waits */
  #flush(packet?: Packet): void {
    if (!this.#open) return;
    const wasCongested = this.#isCongested();
    try {
      const state =
        packet === undefined ? this.#queue.flush(this.#send) : this.#queue.pass(packet, this.#send);
      this.#blocked = state === 'blocked';
      if (state === 'exhausted') this.#retryLater();
      if (state === 'empty') this.#wakeEmptied();
      else this.#awaitProgress();
      this.#adjust();
      if (wasCongested && !this.#isCongested()) this.#events.flowing?.();
    } catch (error) {
      this.#end(new BusClosedError(`the connection to ${this.#terms.peer} broke`, { cause: error }));
    }
  }

  /** Asks the kernel only where so many may be unread that it matters. */
  #mayBeUnread(fds: number): boolean {
    const { unreadFds } = this.#terms;
    if (this.#unreadFds + fds <= unreadFds) return true;
    if (this.#socket.allRead()) this.#unreadFds = 0;
    return this.#unreadFds + fds <= unreadFds;
  }

  #awaitProgress(): void {
    const { giveUpAfter } = this.#terms;
    if (!this.#open || giveUpAfter === Infinity) return;
    // What the kernel has no room for at the moment is not the other side's doing.
    if (!this.#blocked && !this.#isUnread) return;
    this.#giveUp ??= setTimeout(() => {
      this.#endUnread();
    }, giveUpAfter);
  }

  /** Something went. */
  #wentOn(): void {
    if (this.#giveUp === undefined) return;
    clearTimeout(this.#giveUp);
    this.#giveUp = undefined;
  }

  #endUnread(): void {
    const text = `${this.#terms.peer} does not read what it is sent`;
    this.#end(new BusClosedError(text, { reason: 'not-reading' }));
  }

  #retryLater(): void {
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      this.#flush();
    }, RETRY_DELAY_MS);
  }

  #read(): void {
    let got = this.#readOnce();
    for (let reads = 1; got === 'more' && reads < READS_PER_TURN; reads++) got = this.#readOnce();
    if (this.#failing && got !== 'nothing')
      setImmediate(() => {
        this.#read();
      });
  }

  /** @returns `more` when there may be more, and it is wanted now */
  #readOnce(): 'nothing' | 'enough' | 'more' {
    if (!this.#open || this.#held) return 'nothing';
    const received = this.#receive();
    if (received === undefined) return 'nothing';
    const isWanted = this.#events.received(received.bytes, received.fds, received.lost);
    return isWanted && received.more ? 'more' : 'enough';
  }

  #receive(): Received | undefined {
    try {
      const received = this.#socket.receive();
      const { peer } = this.#terms;
      if (received === 'end')
        this.#end(new BusClosedError(`${peer} closed the connection`, { reason: 'ended' }));
      else if (received !== 'blocked') return received;
      else if (this.#failing) this.#end(new BusClosedError(`the connection to ${peer} broke`));
    } catch (error) {
      this.#end(new BusClosedError(`the connection to ${this.#terms.peer} broke`, { cause: error }));
    }
    return undefined;
  }

  #adjust(): void {
    if (!this.#open || this.#failing) return;
    const readable = !this.#held && !this.#exceeds(this.#terms.highWater);
    this.#watch.watch({ readable, writable: this.#blocked });
  }

  #isCongested(): boolean {
    return this.#exceeds(this.#terms.congested);
  }

  #exceeds({ bytes, fds }: Load): boolean {
    return this.#queue.bytes > bytes || this.#queue.fds > fds;
  }

  #end(reason: BusClosedError | undefined): void {
    if (!this.#open) return;
    this.#open = false;
    clearTimeout(this.#retry);
    clearTimeout(this.#giveUp);
    this.#watch.close();
    try {
      this.#queue.clear();
    } finally {
      this.#socket.close();
      this.#wakeEmptied();
      this.#events.closed(reason);
    }
  }

  #wakeEmptied(): void {
    for (const resolve of this.#emptied.splice(0)) resolve();
  }
}
