import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { OwnedFd } from '../../dbus/owned-fd.js';
import { field, marshal, REPLY } from './raw-message.js';
import { RawPeer, ready } from './raw-peer.js';
import { acceptFrom, listenAt } from './sockets.js';

const GUID = 'f'.repeat(32);

/** Stands where a bus would, and does what the test has it do. */
export class FakeServer implements AsyncDisposable {
  readonly address: string;
  readonly #directory: string;
  readonly #listener: OwnedFd;

  /** @param backlog connections that may wait to be accepted */
  constructor(backlog?: number) {
    this.#directory = mkdtempSync(join(tmpdir(), 'dmabroker-server-'));
    const path = join(this.#directory, 'bus');
    this.#listener = listenAt(path, backlog);
    this.address = `unix:path=${path}`;
  }

  /** The next client, before it has authenticated. */
  async accept(): Promise<RawPeer> {
    for (;;) {
      const fd = acceptFrom(this.#listener);
      if (fd !== undefined) return new RawPeer(fd);
      await ready({ fd: this.#listener.number }, 'readable');
    }
  }

  /** The next client, authenticated. */
  async acceptAuthenticated(): Promise<RawPeer> {
    const client = await this.accept();
    await client.expectLine('\0AUTH EXTERNAL');
    await client.send('DATA\r\n');
    await client.expectLine('DATA');
    await client.send(`OK ${GUID}\r\n`);
    await client.expectLine('NEGOTIATE_UNIX_FD');
    await client.send('AGREE_UNIX_FD\r\n');
    await client.expectLine('BEGIN');
    return client;
  }

  /** The next client, greeted: it is `:1.1`, and this server has the id of its address. */
  async acceptGreeted(): Promise<RawPeer> {
    const client = await this.acceptAuthenticated();
    for (const answer of [':1.1', GUID]) await answerNext(client, answer);
    return client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.resolve();
    this.#listener.close();
    rmSync(this.#directory, { recursive: true });
  }
}

/** The serial of the next message that comes. */
export async function nextSerial(client: RawPeer): Promise<number> {
  const message = await client.read();
  if (message === undefined) throw new Error('the client has gone');
  return message.header.serial;
}

async function answerNext(client: RawPeer, text: string): Promise<void> {
  const fields = [
    field.replySerial(await nextSerial(client)),
    field.sender('org.freedesktop.DBus'),
    field.signature('s'),
  ];
  await client.sendMessage({ type: REPLY, fields, body: marshal('s', [text]) });
}
