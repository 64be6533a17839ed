import { statSync } from 'node:fs';

import { expect, vi } from 'vitest';

import { connectBus } from '../../dbus/connection/bus.js';
import type { Bus, Reply, WireValue } from '../../dbus/connection/bus-types.js';
import { BROKER_INTERFACE, BUS_NAME, ROOT_PATH } from '../../dbus/names.js';
import { closeAll, type OwnedFd } from '../../dbus/owned-fd.js';
import { startDaemon, type RunningDaemon } from '../harness/daemon.js';
import { expectNoNewFds, openFds } from '../harness/leaks.js';
import { startBus, type BusOptions, type PrivateBus } from '../harness/private-bus.js';
import { NOTHING_READY, writePolicy } from '../harness/root-policy.js';
import { RawClient } from '../harness/raw-client.js';
import { ERROR, type RawMessage } from '../harness/raw-message.js';
import { call } from '../harness/hostile/values.js';
import { PROFILE, TemporaryDirectory } from './rig.js';

/** How messages get to the daemon. */
export type Road = 'bus' | 'channel';

/** What a message led to. */
export type Answer =
  | { readonly kind: 'error'; readonly name: string; readonly text: string; readonly from: string }
  | { readonly kind: 'reply'; readonly body: readonly WireValue[]; readonly fds: number }
  | { readonly kind: 'disconnected' };

/** A daemon under attack, and an ordinary client that must not notice. */
export class HostileRig implements AsyncDisposable {
  readonly bus: PrivateBus;
  readonly daemon: RunningDaemon;
  readonly ordinary: Bus;
  /** Unique name of the daemon. */
  readonly target: string;
  readonly #root: TemporaryDirectory;
  #before: ReadonlyMap<number, string> = new Map();

  private constructor(parts: {
    bus: PrivateBus;
    daemon: RunningDaemon;
    ordinary: Bus;
    target: string;
    root: TemporaryDirectory;
  }) {
    this.bus = parts.bus;
    this.daemon = parts.daemon;
    this.ordinary = parts.ordinary;
    this.target = parts.target;
    this.#root = parts.root;
  }

  /** @param daemonOptions `policy` comes after that nothing lies ready */
  static async start(
    options: BusOptions = {},
    { policy = '', env = {} }: { readonly policy?: string; readonly env?: NodeJS.ProcessEnv } = {},
  ): Promise<HostileRig> {
    const root = new TemporaryDirectory();
    writePolicy(root.path, NOTHING_READY + policy);
    const bus = await startBus(options);
    const daemon = await startDaemon({ bus, args: ['--profile', PROFILE, '--root', root.path], env });
    const ordinary = await connectBus(bus.address);
    const target = await ownerOf(ordinary);
    const rig = new HostileRig({ bus, daemon, ordinary, target, root });
    await rig.#serve();
    rig.#before = openFds(daemon.pid);
    return rig;
  }

  /** A connection to the daemon: the bus's, or a channel whose owner is on the bus for as long as it is open. */
  async connect(road: Road = 'bus'): Promise<RawClient> {
    const owner = await RawClient.connect(this.bus.address);
    if (road === 'bus') return owner;
    const serial = await owner.sendMessage(
      call({ interface: BROKER_INTERFACE, member: 'OpenChannel', signature: 'a{sv}', body: [[]] }),
    );
    const { fds } = await owner.answerTo(serial);
    const [socket, ...others] = fds;
    closeAll(others);
    if (socket === undefined) throw new Error('the daemon gave no channel');
    return RawClient.over(socket, owner);
  }

  /** Sends a message and waits for what comes of it. */
  async ask(client: RawClient, message: RawMessage, fds: readonly OwnedFd[] = []): Promise<Answer> {
    const serial = message.serial ?? client.nextSerial();
    if (!(await sent(client, { ...message, serial }, fds))) return { kind: 'disconnected' };
    return answerTo(client, serial);
  }

  /** Sends a message without waiting. @returns whether the bus still took it */
  send(client: RawClient, message: RawMessage): Promise<boolean> {
    return sent(client, message, []);
  }

  /** Sends what nothing answers. @returns whether the bus kept the sender, once the daemon has had it */
  async tell(client: RawClient, message: RawMessage, fds: readonly OwnedFd[] = []): Promise<boolean> {
    const serial = message.serial ?? client.nextSerial();
    if (!(await sent(client, { ...message, serial }, fds))) return false;
    // Messages of one sender arrive in order, so that this is answered after the other was handled.
    const ping = { interface: 'org.freedesktop.DBus.Peer', member: 'Ping', destination: this.target };
    return (await this.ask(client, call(ping))).kind === 'reply';
  }

  /** The daemon is the process that it was, has the descriptors that it had, holds nothing and serves. */
  async expectUnharmed(): Promise<void> {
    expect(await ownerOf(this.ordinary)).toBe(this.target);
    expect(statSync(`/proc/${this.daemon.pid}`).isDirectory()).toBe(true);
    await this.expectNothingLive();
    await this.#serve();
    await expectNoNewFds(this.#before, { pid: this.daemon.pid });
  }

  /** What an owner that left had is free again within a second. */
  async expectNothingLive(): Promise<void> {
    await vi.waitFor(async () => {
      expect(await this.property('LiveBuffers')).toBe(0n);
      expect(await this.property('LiveBytes')).toBe(0n);
    });
  }

  /** A property of the broker. */
  async property(name: string): Promise<WireValue> {
    const { body } = await this.ordinary.call({
      destination: BUS_NAME,
      path: ROOT_PATH,
      interface: 'org.freedesktop.DBus.Properties',
      member: 'Get',
      signature: 'ss',
      body: [BROKER_INTERFACE, name],
    });
    const [variant] = body;
    if (typeof variant !== 'object' || !('signature' in variant)) throw new Error('Get gave no variant');
    return variant.value;
  }

  /** Calls the broker as the ordinary client. */
  broker(member: string, signature: string, body: readonly WireValue[]): Promise<Reply> {
    return this.ordinary.call({
      destination: BUS_NAME,
      path: ROOT_PATH,
      interface: BROKER_INTERFACE,
      member,
      signature,
      body,
    });
  }

  /** Asks the bus itself for something, as the ordinary client. */
  async askBus(): Promise<void> {
    await ownerOf(this.ordinary);
  }

  /** Allocates a page as the ordinary client. @returns the allocation's path, and how many fds came */
  async allocate(): Promise<{ readonly path: string; readonly fds: number }> {
    const body = [[['cpu', []]], [['size', { signature: 't', value: 4096n }]]];
    const { body: results, fds } = await this.broker('Allocate', 'a(sa{sv})a{sv}', body);
    closeAll(fds);
    const [path] = results;
    if (typeof path !== 'string') throw new Error('Allocate gave no path');
    return { path, fds: fds.length };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.ordinary.close();
    await this.daemon.stop();
    await this.bus.stop();
    this.#root[Symbol.dispose]();
  }

  async #serve(): Promise<void> {
    const { path, fds } = await this.allocate();
    expect(fds).toBe(1);
    await this.broker('Release', 'o', [path]);
  }
}

/** The owner of the daemon's name. */
async function ownerOf(bus: Bus): Promise<WireValue & string> {
  const driver = 'org.freedesktop.DBus';
  const path = '/org/freedesktop/DBus';
  const about = { signature: 's', body: [BUS_NAME] };
  const { body } = await bus.call({
    destination: driver,
    path,
    interface: driver,
    member: 'GetNameOwner',
    ...about,
  });
  const [owner] = body;
  if (typeof owner !== 'string') throw new Error('GetNameOwner gave no name');
  return owner;
}

/** Reads until the answer to a call comes, or the end of the connection; fds are counted and closed. */
export async function answerTo(client: RawClient, serial: number): Promise<Answer> {
  for (;;) {
    const message = await client.read();
    if (message === undefined) return { kind: 'disconnected' };
    closeAll(message.fds);
    const { type, replySerial, errorName = '', sender = '' } = message.header;
    if (replySerial !== serial) continue;
    const { body, fds } = message;
    const [text] = body;
    if (type !== ERROR) return { kind: 'reply', body, fds: fds.length };
    return { kind: 'error', name: errorName, text: typeof text === 'string' ? text : '', from: sender };
  }
}

/** @returns whether the bus still took it */
async function sent(client: RawClient, message: RawMessage, fds: readonly OwnedFd[]): Promise<boolean> {
  try {
    await client.sendMessage(message, fds);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'EPIPE' || error.code === 'ECONNRESET'))
      return false;
    throw error;
  }
}

/** An error whose text names the field, on one printable line and without anything of the daemon's own files. */
export function expectError(answer: Answer, name: string, says: string): void {
  expect(answer).toMatchObject({ kind: 'error', name });
  if (answer.kind !== 'error') return;
  expect(answer.text).toContain(says);
  expect(answer.text).not.toMatch(/\p{Cc}|dist\/|node:|node_modules|file:/u);
  expect(Buffer.byteLength(answer.text)).toBeLessThan(1024);
}
