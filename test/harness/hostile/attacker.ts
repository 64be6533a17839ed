import { parseAddress } from '../../../dbus/connection/address.js';
import { connectSocket } from '../../../dbus/connection/socket.js';
import { closeAll, type OwnedFd } from '../../../dbus/owned-fd.js';
import { RawClient } from '../raw-client.js';
import { rawMessage, type RawMessage } from '../raw-message.js';
import { RawPeer } from '../raw-peer.js';
import { call } from './values.js';

/** What a bus does to a connection that it does not like. */
const ENDED = ['EPIPE', 'ECONNRESET'];

/** Somebody on a bus who means ill: opens connections, and sends what no library would. */
export class Attacker implements Disposable {
  readonly address: string;
  /** Unique name of the daemon. */
  readonly target: string;
  readonly #peers: RawPeer[] = [];

  constructor(address: string, target: string) {
    this.address = address;
    this.target = target;
  }

  /** A connection that has said Hello; it stays until the attack is over. */
  async connect(): Promise<RawClient> {
    const client = await RawClient.connect(this.address);
    this.#peers.push(client);
    return client;
  }

  connections(count: number): Promise<readonly RawClient[]> {
    return Promise.all(Array.from({ length: count }, () => this.connect()));
  }

  /** A connection that has not said anything yet. */
  socket(): RawPeer {
    const [target] = parseAddress(this.address);
    if (target === undefined) throw new Error(`no socket in ${this.address}`);
    const socket = connectSocket(target);
    if (socket === 'busy') throw new Error('the bus accepts no connection now');
    const peer = new RawPeer(socket);
    this.#peers.push(peer);
    return peer;
  }

  /** Sends messages one after the other and reads nothing. @returns whether the bus took all of them */
  async send(
    client: RawPeer,
    messages: Iterable<RawMessage>,
    fds: readonly OwnedFd[] = [],
  ): Promise<boolean> {
    for (const message of messages) {
      const bytes = rawMessage({ ...message, serial: message.serial ?? client.nextSerial() });
      if (!(await this.bytes(client, bytes, fds))) return false;
    }
    return true;
  }

  /** Sends bytes. @returns whether the bus took them */
  async bytes(client: RawPeer, bytes: Buffer | string, fds: readonly OwnedFd[] = []): Promise<boolean> {
    try {
      await client.send(bytes, fds);
      return true;
    } catch (error) {
      if (error instanceof Error && 'code' in error && ENDED.includes(String(error.code))) return false;
      throw error;
    }
  }

  /** Reads until so many messages have come, or the connection has ended. */
  async read(client: RawPeer, count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      const message = await client.read();
      if (message === undefined) return;
      closeAll(message.fds);
    }
  }

  /** Waits until the daemon has handled what was sent before, whatever became of who sent it. */
  async settled(): Promise<void> {
    const client = await this.connect();
    const ping = call({ interface: 'org.freedesktop.DBus.Peer', member: 'Ping', destination: this.target });
    closeAll((await client.answerTo(await client.sendMessage(ping))).fds);
  }

  [Symbol.dispose](): void {
    for (const peer of this.#peers.splice(0)) peer.close();
  }
}

/** An attack by its name. */
export interface Case {
  readonly title: string;
  readonly attack: (attacker: Attacker) => Promise<unknown>;
}

export const times = <T>(count: number, make: (index: number) => T): readonly T[] =>
  Array.from({ length: count }, (_, index) => make(index));
