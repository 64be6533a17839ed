import { constants } from 'node:os';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { connect } from '../../../client/index.js';
import { startDaemon } from '../../harness/daemon.js';
import { FdStore } from '../../harness/fd-store.js';
import { busKinds, startBus, type PrivateBus } from '../../harness/private-bus.js';
import { NOTHING_READY, writePolicy } from '../../harness/root-policy.js';
import { PROFILE, TemporaryDirectory } from '../../integration/rig.js';
import { granting, startPeer, type Peer } from '../peer.js';
import { compile, Driver, hasCompiler, READ_WRITE } from './rig.js';

const { EIO, EHOSTUNREACH, ENOTCONN, ENOENT } = constants.errno;
const SLOW = 120_000;

describe.skipIf(!hasCompiler).each(busKinds())('libdmabroker on %s', { timeout: SLOW }, (kind) => {
  const directory = new TemporaryDirectory();
  let programs: Readonly<Record<'driver', string>>;
  let bus: PrivateBus;
  beforeAll(async () => {
    programs = await compile(directory.path, 'sanitizers', ['driver']);
  }, SLOW);
  afterAll(() => {
    directory[Symbol.dispose]();
  });
  beforeEach(async () => {
    bus = await startBus({ kind });
  });
  afterEach(async () => {
    await bus.stop();
  });

  async function opened(): Promise<Driver> {
    const driver = new Driver(programs.driver);
    await driver.all(`open ${bus.address}`, 'request', 'size 4096', `device cpu ${READ_WRITE}`);
    return driver;
  }

  it('finds the bus that the environment names', async () => {
    await using _peer = await startPeer(bus.address, { Allocate: granting() });
    for (const [name, env] of [
      ['default', { DMABROKER_BUS: bus.address }],
      ['system', { DBUS_SYSTEM_BUS_ADDRESS: bus.address }],
      ['default', { DMABROKER_BUS: '', DBUS_SYSTEM_BUS_ADDRESS: bus.address }],
      ['session', { DBUS_SESSION_BUS_ADDRESS: bus.address }],
      ['default', { DMABROKER_BUS: 'session', DBUS_SESSION_BUS_ADDRESS: bus.address }],
    ] as const) {
      await using driver = new Driver(programs.driver, 'sanitizers', env);
      await driver.all(`open ${name}`, 'request', 'size 4096', `device cpu ${READ_WRITE}`, 'allocate');
    }
  });

  it('keeps its allocations, and waits for the next daemon', async () => {
    using root = new TemporaryDirectory();
    using store = new FdStore();
    writePolicy(root.path, NOTHING_READY);
    const args = ['--profile', PROFILE, '--root', root.path, '--state-dir', join(root.path, 'state')];
    const first = await startDaemon({ bus, args, store });
    await using driver = await opened();
    const { text: path } = await driver.all('timeout 60000000', 'count 3', 'allocate');
    await first.kill();
    driver.tell('extend 2');
    await using _second = await startDaemon({ bus, args, store });
    expect((await driver.answer()).result).toBe(0);
    expect((await driver.ask('count')).result).toBe(5);
    await using broker = await connect({ bus: bus.address });
    expect(await broker.allocations()).toMatchObject([{ path, layout: { count: 5 } }]);
    await driver.all('release');
    await expect.poll(async () => (await broker.status()).liveBuffers, { timeout: 10_000 }).toBe(0n);
  });

  it('says that a daemon without a memory does not know its allocations', async () => {
    const args = ['--profile', PROFILE];
    const first = await startDaemon({ bus, args });
    await using driver = await opened();
    await driver.all('timeout 60000000', 'allocate');
    await first.stop();
    await using _second = await startDaemon({ bus, args });
    expect((await driver.ask('extend 1')).result).toBe(-ENOENT);
    await driver.all('release', 'allocate');
  });

  it('asks from an event loop again when the next service comes', async () => {
    const first = await startPeer(bus.address);
    await using driver = await opened();
    await driver.all('timeout 60000000');
    await first.leave();
    await driver.all('async');
    driver.tell('loop');
    await using _second = await startPeer(bus.address, { Allocate: granting() });
    expect((await driver.answer()).result).toBe(0);
  });

  it('asks again what a service left without an answer, but not for ever', async () => {
    /** A service that leaves when it is asked. */
    async function leavesWhenAsked(): Promise<{ readonly asked: Promise<void>; readonly peer: Peer }> {
      let wake = (): void => undefined;
      const asked = new Promise<void>((resolve) => {
        wake = resolve;
      });
      const peer = await startPeer(bus.address, {
        Allocate: () => {
          wake();
        },
      });
      return { asked, peer };
    }
    const first = await leavesWhenAsked();
    await using driver = await opened();
    await driver.all('timeout 60000000');
    driver.tell('allocate');
    await first.asked;
    await first.peer.leave();
    const second = await startPeer(bus.address, { Allocate: granting() });
    expect((await driver.answer()).result).toBe(0);
    await second.leave();
    driver.tell('allocate');
    // A call that reaches the bus while a service leaves is lost with it, and counts although the service never saw it.
    const answered = driver.answer();
    let isAnswered = false;
    for (let times = 0; times < 3 && !isAnswered; times++) {
      const { asked, peer } = await leavesWhenAsked();
      isAnswered = await Promise.race([asked.then(() => false), answered.then(() => true)]);
      await peer.leave();
    }
    expect((await answered).result).toBe(-EIO);
  });

  it('gives up on a service that stays away, and then at once', async () => {
    const first = await startPeer(bus.address);
    await using driver = await opened();
    await driver.all('timeout 500000');
    await first.leave();
    expect((await driver.ask('allocate')).result).toBe(-EHOSTUNREACH);
    // The service is away for longer than a call may take.
    expect((await driver.ask('allocate')).result).toBe(-EHOSTUNREACH);
    expect((await driver.ask('explain')).result).toBe(-EHOSTUNREACH);
  });

  it('releases with the next service what it could not release with the last', async () => {
    const first = await startPeer(bus.address);
    first.answers.set('Allocate', granting());
    await using driver = await opened();
    const { text: path } = await driver.all('timeout 300000', 'allocate');
    await first.leave();
    // Learns that the service has left.
    expect((await driver.ask('extend 1')).result).toBe(-EHOSTUNREACH);
    await driver.all('release');
    await using second = await startPeer(bus.address);
    second.answers.set('Allocate', granting());
    await driver.all('timeout 60000000', 'allocate');
    const released = second.calls.filter(({ member }) => member === 'Release');
    expect(released.map(({ body }) => body[0])).toEqual([path]);
  });

  it('tells once that the bus has gone; buffers stay', async () => {
    const peer = await startPeer(bus.address);
    peer.answers.set('Allocate', granting());
    await using driver = await opened();
    await driver.all('watch', 'allocate');
    const asked = new Promise<void>((resolve) => {
      peer.answers.set('Allocate', () => {
        resolve();
      });
    });
    await driver.all('async');
    driver.tell('loop');
    await asked;
    const left = peer.leave();
    await bus.stop();
    await left;
    expect((await driver.answer()).result).toBe(-ENOTCONN);
    expect(await driver.ask('loop')).toEqual({ result: 0, text: 'lost' });
    expect((await driver.ask('loop')).result).toBe(-ENOTCONN);
    expect((await driver.ask('explain')).result).toBe(-ENOTCONN);
    expect((await driver.ask('extend 1')).result).toBe(-ENOTCONN);
    expect((await driver.ask('fd 0')).result).toBeGreaterThan(2);
    await driver.all('release');
    expect((await driver.ask('allocate')).result).toBe(-ENOTCONN);
  });
});
