import { beforeEach, expect, onTestFinished, test } from 'vitest';

import { Broker } from '../../../client/broker.js';
import { connectBus, requestName } from '../../../dbus/connection/bus.js';
import type { Bus, Channel, IncomingCall } from '../../../dbus/connection/bus-types.js';
import { BUS_NAME } from '../../../dbus/names.js';
import { startBus, type PrivateBus } from '../../harness/private-bus.js';
import { explaining, granting, lacking, type Answer } from '../peer.js';

const CPU = [{ device: 'cpu' }];
const TIMEOUT = 600_000;
const MEMORY = { size: 4096 };

/** A daemon that opens channels, and tells over which road each call came. */
class Daemon {
  readonly bus: Bus;
  readonly calls: string[] = [];
  readonly channels: Channel[] = [];
  readonly answers = new Map<string, Answer>([
    ['GetAll', lacking([])],
    ['Allocate', granting()],
    ['Explain', explaining([], [])],
    [
      'Release',
      (call) => {
        call.reply();
      },
    ],
    [
      'OpenChannel',
      (call) => {
        const { channel, client } = this.bus.openChannel(call.sender);
        this.channels.push(channel);
        call.reply('h', [client]);
      },
    ],
  ]);

  private constructor(bus: Bus) {
    this.bus = bus;
    bus.handleCalls((call) => {
      this.#answer(call);
    });
  }

  static async start(address: string): Promise<Daemon> {
    const bus = await connectBus(address);
    const daemon = new Daemon(bus);
    await requestName(bus, BUS_NAME);
    onTestFinished(() => daemon.stop());
    return daemon;
  }

  async stop(): Promise<void> {
    await Promise.all(this.channels.map((channel) => channel.close()));
    await this.bus.close();
  }

  #answer(call: IncomingCall): void {
    if (call.member !== 'GetAll') this.calls.push(`${call.member} ${call.overChannel ? 'channel' : 'bus'}`);
    const answer = this.answers.get(call.member);
    if (answer === undefined) call.error('org.freedesktop.DBus.Error.UnknownMethod', call.member);
    else answer(call);
  }
}

let bus: PrivateBus;
let daemon: Daemon;
beforeEach(async () => {
  bus = await startBus();
  onTestFinished(() => bus.stop());
  daemon = await Daemon.start(bus.address);
});

async function open(channel = true): Promise<Broker> {
  const broker = await Broker.open(await connectBus(bus.address), TIMEOUT, channel);
  onTestFinished(() => broker.close());
  return broker;
}

/** Asks until the answer came over the road. */
async function explainedOver(broker: Broker, road: string): Promise<void> {
  do await broker.explain(CPU, MEMORY);
  while (daemon.calls.at(-1) !== `Explain ${road}`);
}

test('the first allocation goes over the bus, and what follows over a channel', async () => {
  const broker = await open();
  const first = await broker.allocate(CPU, MEMORY);
  await explainedOver(broker, 'channel');
  await first.release();
  await (await broker.allocate(CPU, MEMORY)).release();
  expect(daemon.calls.filter((call) => !call.startsWith('Explain'))).toEqual([
    'Allocate bus',
    'OpenChannel bus',
    'Release channel',
    'Allocate channel',
    'Release channel',
  ]);
});

test('a client that only asks, and one that wants none, opens no channel', async () => {
  const [asking, onBus] = [await open(), await open(false)];
  await asking.explain(CPU, MEMORY);
  await (await onBus.allocate(CPU, MEMORY)).release();
  await onBus.explain(CPU, MEMORY);
  expect(daemon.calls).toEqual(['Explain bus', 'Allocate bus', 'Release bus', 'Explain bus']);
});

test('what is under way when the channel breaks is asked over the bus, and a later allocation opens another', async () => {
  const broker = await open();
  await broker.allocate(CPU, MEMORY);
  await explainedOver(broker, 'channel');
  const [explain] = [daemon.answers.get('Explain')];
  daemon.answers.set('Explain', (call) => {
    if (call.overChannel) void daemon.channels[0]?.close();
    else explain?.(call);
  });
  await Promise.all([broker.explain(CPU, MEMORY), broker.explain(CPU, MEMORY)]);
  daemon.answers.set('Explain', explaining([], []));
  await broker.allocate(CPU, MEMORY);
  await explainedOver(broker, 'channel');
  expect(daemon.channels).toHaveLength(2);
});

test('an allocation that was released as the channel broke counts as released', async () => {
  const broker = await open();
  const allocation = await broker.allocate(CPU, MEMORY);
  await explainedOver(broker, 'channel');
  daemon.answers.set('Release', (call) => {
    if (call.overChannel) void daemon.channels[0]?.close();
    else call.error('org.dmabroker1.Error.UnknownAllocation', 'It is released.');
  });
  await allocation.release();
  expect(daemon.calls.slice(-2)).toEqual(['Release channel', 'Release bus']);
});

test('a request that the channel is too small for goes over the bus', async () => {
  const broker = await open();
  await broker.allocate(CPU, MEMORY);
  await explainedOver(broker, 'channel');
  // 160,000 bytes, of which the bus takes 512 KiB and a channel 128 KiB.
  const modifiers = Array.from({ length: 20_000 }, (_, i) => BigInt(i));
  await broker.explain([{ device: 'cpu', modifiers }], MEMORY);
  expect(daemon.calls.at(-1)).toBe('Explain bus');
});

test('a daemon that gives no channel is asked once', async () => {
  daemon.answers.delete('OpenChannel');
  const broker = await open();
  for (let i = 0; i < 3; i += 1) await (await broker.allocate(CPU, MEMORY)).release();
  expect(daemon.calls.filter((call) => call.startsWith('OpenChannel'))).toHaveLength(1);
});

test('the next daemon is asked for a channel with the first allocation from it', async () => {
  const broker = await open();
  await broker.allocate(CPU, MEMORY);
  await explainedOver(broker, 'channel');
  await daemon.stop();
  const waiting = broker.explain(CPU, MEMORY);
  daemon = await Daemon.start(bus.address);
  await waiting;
  expect(daemon.calls).toContain('Explain bus');
  await broker.allocate(CPU, MEMORY);
  await explainedOver(broker, 'channel');
});

test('closing ends the channel', async () => {
  const broker = await open();
  await broker.allocate(CPU, MEMORY);
  await explainedOver(broker, 'channel');
  await broker.close();
  await daemon.channels[0]?.closed;
});
