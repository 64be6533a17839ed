import { once } from 'node:events';

import { parseAddress } from '../../dbus/connection/address.js';
import { Framer, type Frame } from '../../dbus/connection/framer.js';
import { readBody } from '../../dbus/connection/reader.js';
import { connectSocket, MessageSocket } from '../../dbus/connection/socket.js';
import type { WireValue } from '../../dbus/connection/types.js';
import { FdWatch } from '../../dbus/native/fd-watch.js';
import { OwnedFd, closeAll } from '../../dbus/owned-fd.js';
import { CALL, field, marshal, rawMessage, type RawMessage, type RawValue } from './raw-message.js';

/** A message as it came; whoever gets it closes its fds. */
export interface RawReply {
  readonly header: Frame['header'];
  readonly body: readonly WireValue[];
  readonly fds: readonly OwnedFd[];
}

/** A D-Bus client that sends what it is told to, right or wrong, and reads only when it is told to. */
export class RawClient implements AsyncDisposable {
  readonly #socket: MessageSocket;
  readonly #framer = new Framer(() => Infinity);
  #serial = 0;
  #name = '';
  #open = true;

  private constructor(socket: MessageSocket) {
    this.#socket = socket;
  }

  /** Connects to a bus, authenticates and says Hello. */
  static async connect(address: string): Promise<RawClient> {
    const [target] = parseAddress(address);
    if (target === undefined) throw new Error(`no socket in ${address}`);
    const socket = connectSocket(target);
    if (socket === 'busy') throw new Error('the bus accepts no connection now');
    const client = await RawClient.over(socket);
    const reply = await client.callDriver('Hello');
    const [name] = reply.body;
    if (typeof name !== 'string') throw new Error('the bus gave us no name');
    client.#name = name;
    return client;
  }

  /** Authenticates on a connected socket, whose other end need not be a bus. Takes the socket. */
  static async over(socket: MessageSocket | OwnedFd): Promise<RawClient> {
    const client = new RawClient(socket instanceof OwnedFd ? new MessageSocket(socket) : socket);
    await client.#say('\0AUTH EXTERNAL\r\n', 'DATA');
    await client.#say('DATA\r\n', 'OK');
    await client.#say('NEGOTIATE_UNIX_FD\r\n', 'AGREE_UNIX_FD');
    await client.send(Buffer.from('BEGIN\r\n'));
    return client;
  }

  /** Our unique name. */
  get name(): string {
    return this.#name;
  }

  nextSerial(): number {
    this.#serial += 1;
    return this.#serial;
  }

  /** Sends bytes; the fds, which are lent, go with the first of them. */
  async send(bytes: Buffer, fds: readonly OwnedFd[] = []): Promise<void> {
    let rest = bytes;
    let left = fds;
    while (rest.length > 0) {
      const sent = this.#socket.send(rest, left);
      if (typeof sent === 'string') await this.#ready('writable');
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

  /** Calls the bus itself and waits for the answer; everything before it is thrown away. */
  async callDriver(member: string, signature = '', body: readonly RawValue[] = []): Promise<RawReply> {
    const name = 'org.freedesktop.DBus';
    const fields = [
      field.path('/org/freedesktop/DBus'),
      field.interface(name),
      field.member(member),
      field.destination(name),
      ...(signature === '' ? [] : [field.signature(signature)]),
    ];
    const serial = await this.sendMessage({ type: CALL, fields, body: marshal(signature, body) });
    return this.answerTo(serial);
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

  /** The next message, or undefined when the other side has closed. */
  async read(): Promise<RawReply | undefined> {
    for (;;) {
      const frame = this.#framer.next();
      if (frame !== undefined) return unmarshal(frame);
      const received = await this.#receive();
      if (received === undefined) return undefined;
      this.#framer.push(received.bytes, received.fds);
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

  async #say(line: string, expected: string): Promise<void> {
    await this.send(Buffer.from(line));
    const received = await this.#receive();
    const answer = received?.bytes.toString() ?? '';
    if (!answer.startsWith(expected)) throw new Error(`expected ${expected}, got '${answer}'`);
  }

  async #receive(): Promise<{ readonly bytes: Buffer; readonly fds: readonly OwnedFd[] } | undefined> {
    for (;;) {
      const received = this.#receiveNow();
      if (received === 'end') return undefined;
      if (received !== 'blocked') return received;
      await this.#ready('readable');
    }
  }

  #receiveNow(): ReturnType<MessageSocket['receive']> {
    try {
      return this.#socket.receive();
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ECONNRESET') return 'end';
      throw error;
    }
  }

  async #ready(what: 'readable' | 'writable'): Promise<void> {
    const ready = new AbortController();
    const watch = new FdWatch(this.#socket.fd, () => {
      ready.abort();
    });
    const done = once(ready.signal, 'abort');
    watch.watch({ readable: what === 'readable', writable: what === 'writable' });
    await done;
    watch.close();
  }
}

function unmarshal({ header, body, fds }: Frame): RawReply {
  const limits = { fds: fds.length, values: Infinity };
  const values = readBody(body ?? Buffer.alloc(0), header.little, header.signature ?? '', limits);
  return { header, body: values, fds };
}
