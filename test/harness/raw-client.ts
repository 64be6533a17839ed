import { parseAddress } from '../../dbus/connection/address.js';
import { connectSocket, type MessageSocket } from '../../dbus/connection/socket.js';
import type { OwnedFd } from '../../dbus/owned-fd.js';
import { CALL, field, marshal, type RawValue } from './raw-message.js';
import { RawPeer, type RawReply } from './raw-peer.js';

/** A D-Bus client that sends what it is told to, right or wrong, and reads only when it is told to. */
export class RawClient extends RawPeer {
  #name = '';
  #owner: RawClient | undefined;

  /** Connects to a bus, authenticates and says Hello. */
  static async connect(address: string): Promise<RawClient> {
    const [target] = parseAddress(address);
    if (target === undefined) throw new Error(`no socket in ${address}`);
    const socket = connectSocket(target);
    if (socket === 'busy') throw new Error('the bus accepts no connection now');
    const client = await RawClient.over(socket);
    const { body } = await client.callDriver('Hello');
    const [name] = body;
    if (typeof name !== 'string') throw new Error('the bus gave us no name');
    client.#name = name;
    return client;
  }

  /**
   * Authenticates on a connected socket, whose other end need not be a bus. Takes the socket.
   * @param owner a connection that is to end with this one
   */
  static async over(socket: MessageSocket | OwnedFd, owner?: RawClient): Promise<RawClient> {
    const client = new RawClient(socket);
    client.#owner = owner;
    await client.send('\0AUTH EXTERNAL\r\n');
    await client.expectLine('DATA');
    await client.send('DATA\r\n');
    await client.expectLine('OK');
    await client.send('NEGOTIATE_UNIX_FD\r\n');
    await client.expectLine('AGREE_UNIX_FD');
    await client.send('BEGIN\r\n');
    return client;
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await super[Symbol.asyncDispose]();
    await this.#owner?.[Symbol.asyncDispose]();
  }

  /** Our unique name. */
  get name(): string {
    return this.#name;
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
}
