import { Framer, type Frame } from '../../dbus/connection/framer.js';
import { readBody } from '../../dbus/connection/reader.js';
import { MessageSocket, type Received } from '../../dbus/connection/socket.js';
import type { WireValue } from '../../dbus/connection/bus-types.js';
import { FdWatch } from '../../dbus/native/fd-watch.js';
import { OwnedFd, closeAll } from '../../dbus/owned-fd.js';
import { gate } from './gate.js';
import { rawMessage, type RawMessage } from './raw-message.js';

/** A message as it came; whoever gets it closes its fds. */
export interface RawReply {
  readonly header: Frame['header'];
  readonly body: readonly WireValue[];
  readonly fds: readonly OwnedFd[];
}

/** One end of a D-Bus connection that sends what it is told to, right or wrong, and reads only when it is told to. */
export class RawPeer implements AsyncDisposable {
  readonly #socket: MessageSocket;
  readonly #framer = new Framer(() => Infinity);
  #unread = Buffer.alloc(0);
  #serial = 0;
  #open = true;

  /** Takes the socket, which is connected and does not block. */
  constructor(socket: MessageSocket | OwnedFd) {
    this.#socket = socket instanceof OwnedFd ? new MessageSocket(socket) : socket;
  }

  nextSerial(): number {
    this.#serial += 1;
    return this.#serial;
  }

  /** Sends bytes; the fds, which are lent, go with the first of them. */
  async send(bytes: Buffer | string, fds: readonly OwnedFd[] = []): Promise<void> {
    let rest = Buffer.from(bytes);
    let left = fds;
    while (rest.length > 0) {
      const sent = this.#socket.send(rest, left);
      if (typeof sent === 'string') await ready(this.#socket, 'writable');
      else {
        rest = rest.subarray(sent);
        left = [];
      }
    }
  }

  /** Builds a message and sends it. @returns its serial */
  async sendMessage(message: RawMessage, fds: readonly OwnedFd[] = []): Promise<number> {
    const serial = message.serial ?? this.nextSerial();
    await this.send(rawMessage({ ...message, serial }), fds);
    return serial;
  }

  /** Reads one line of the authentication, which must start with a text. */
  async expectLine(expected: string): Promise<void> {
    while (!this.#unread.includes('\r\n')) {
      const received = await this.#receive();
      if (received === undefined) throw new Error(`expected '${expected}', and the connection ended`);
      this.#unread = Buffer.concat([this.#unread, received.bytes]);
    }
    const end = this.#unread.indexOf('\r\n') + 2;
    const line = this.#unread.subarray(0, end).toString();
    this.#unread = this.#unread.subarray(end);
    if (!line.startsWith(expected)) throw new Error(`expected '${expected}', got '${line}'`);
  }

  /** The next message, or undefined when the other side has closed. */
  async read(): Promise<RawReply | undefined> {
    // What came with the last line of the authentication.
    if (this.#unread.length > 0) this.#framer.push(this.#unread, []);
    this.#unread = Buffer.alloc(0);
    for (;;) {
      const frame = this.#framer.next();
      if (frame !== undefined) return unmarshal(frame);
      const received = await this.#receive();
      if (received === undefined) return undefined;
      this.#framer.push(received.bytes, received.fds);
    }
  }

  /** Reads until the answer to a call comes; everything before it is thrown away. */
  async answerTo(serial: number): Promise<RawReply> {
    for (;;) {
      const message = await this.read();
      if (message === undefined) throw new Error('the connection ended before the answer');
      if (message.header.replySerial === serial) return message;
      closeAll(message.fds);
    }
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#framer.dispose();
    this.#socket.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.resolve();
    this.close();
  }

  async #receive(): Promise<Received | undefined> {
    for (;;) {
      const received = this.#receiveNow();
      if (received === 'end') return undefined;
      if (received !== 'blocked') return received;
      await ready(this.#socket, 'readable');
    }
  }

  #receiveNow(): Received | 'blocked' | 'end' {
    try {
      return this.#socket.receive();
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ECONNRESET') return 'end';
      throw error;
    }
  }
}

/** Waits until a descriptor is ready. */
export async function ready({ fd }: { readonly fd: number }, what: 'readable' | 'writable'): Promise<void> {
  const { opened, open } = gate();
  const watch = new FdWatch(fd, () => {
    watch.close();
    open();
  });
  watch.watch({ readable: what === 'readable', writable: what === 'writable' });
  await opened;
}

function unmarshal({ header, body, fds }: Frame): RawReply {
  const limits = { fds: fds.length, values: Infinity };
  const values = readBody(body ?? Buffer.alloc(0), header.little, header.signature ?? '', limits);
  return { header, body: values, fds };
}
