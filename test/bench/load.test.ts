import { execFileSync } from 'node:child_process';

import { describe, expect, test, vi } from 'vitest';

import { Load } from './load.js';
import { compile } from './compile.mjs';
import { ECHO, startEcho } from './echo.js';
import { connect } from '../../client/index.js';
import { connectBus } from '../../dbus/connection/bus.js';
import { BROKER_INTERFACE, BUS_NAME, ROOT_PATH } from '../../dbus/names.js';
import { startDaemon } from '../harness/daemon.js';
import { endChild, startBus } from '../harness/private-bus.js';
import { PROFILE, TemporaryDirectory } from '../integration/rig.js';
import { ensure } from '../tools/ensure.mjs';
import { naming } from '../harness/naming.js';

const hasSdBus = ensure(['gcc', 'libsystemd-dev'], { optional: true });

describe.skipIf(!hasSdBus)('the client that measures (needs gcc and libsystemd-dev)', () => {
  test('times each round, gives back what it is given, and says what was refused', async () => {
    using directory = new TemporaryDirectory();
    await using bus = await startBus();
    await using daemon = await startDaemon({ bus, args: ['--profile', PROFILE] });
    await using load = new Load(compile('load', directory.path), bus.address);
    await load.run('device cpu');
    await load.run('image 64 64 XR24');
    const before = daemon.fdCount();
    expect(await load.run('explain 3')).toHaveLength(3);
    const taken = await load.run('allocate 4 2');
    expect(taken).toHaveLength(4);
    expect(taken.every((nanoseconds) => nanoseconds > 0)).toBe(true);
    expect(await load.run('memfd 4096 2')).toHaveLength(2);
    await load.run('connections 3');
    expect(await load.run('hold 6 1')).toHaveLength(6);
    expect(daemon.fdCount()).toBeGreaterThanOrEqual(before + 6);
    await load.run('size 18446744073709551615');
    await expect(load.run('allocate 1 1')).rejects.toThrow('MaxBuffer');
  });

  test('asks for a device with a use', async () => {
    using directory = new TemporaryDirectory();
    await using bus = await startBus();
    await using _daemon = await startDaemon({ bus, args: ['--profile', PROFILE] });
    await using load = new Load(compile('load', directory.path), bus.address);
    for (const line of ['size 4096', 'device cpu read']) await load.run(line);
    expect(await load.run('explain 1')).toHaveLength(1);
    for (const line of ['device -', 'device cpu scanout']) await load.run(line);
    await expect(load.run('explain 1')).rejects.toThrow(naming('cpu', 'scanout'));
  });

  test('tells what lies ready as the daemon does', async () => {
    using directory = new TemporaryDirectory();
    await using bus = await startBus();
    await using _daemon = await startDaemon({ bus, args: ['--profile', PROFILE] });
    await using load = new Load(compile('load', directory.path), bus.address);
    await using broker = await connect({ bus: bus.address });
    for (const line of ['device cpu', 'size 4096', 'allocate 4 1']) await load.run(line);
    // It is made meanwhile.
    await vi.waitFor(async () => {
      const used = (await broker.pools()).find(({ misses }) => misses > 0n);
      expect(used?.warm).toBe(4n * 4096n);
      expect(await load.run(`pool ${used?.path ?? ''}`)).toEqual([4 * 4096, Number(used?.misses)]);
    });
  });

  test('asks a service in C, which gives the answers that ours gave', async () => {
    using directory = new TemporaryDirectory();
    await using bus = await startBus();
    await using _daemon = await startDaemon({ bus, args: ['--profile', PROFILE] });
    await using load = new Load(compile('load', directory.path), bus.address);
    const echo = await startEcho([compile('echo', directory.path)], bus.address);
    try {
      const asker = await connectBus(bus.address);
      const call = { path: ROOT_PATH, interface: BROKER_INTERFACE, member: 'Explain' };
      const body = [[['cpu', []]], [['size', { signature: 't', value: 4096n }]]] as const;
      const answers = await Promise.all(
        [BUS_NAME, ECHO.c].map((destination) =>
          asker.call({ ...call, destination, signature: 'a(sa{sv})a{sv}', body }),
        ),
      );
      await asker.close();
      expect(answers[1]).toEqual(answers[0]);
      for (const line of ['device cpu', 'size 4096', `service ${ECHO.c}`]) await load.run(line);
      expect(await load.run('explain 2')).toHaveLength(2);
      expect(await load.run('allocate 3 1')).toHaveLength(3);
      await load.run('service nobody.there');
      await expect(load.run('explain 1')).rejects.toThrow('nobody.there');
    } finally {
      await endChild(echo);
    }
  });

  test('is told when a service ends before it is on the bus', async () => {
    await expect(startEcho(['/bin/false'], '')).rejects.toThrow('ended before it was on the bus');
    await expect(startEcho(['/nowhere'], '')).rejects.toThrow('ENOENT');
  });

  test('says how it is used', () => {
    using directory = new TemporaryDirectory();
    const program = compile('load', directory.path);
    expect(() => execFileSync(program, { stdio: 'pipe' })).toThrow('usage: load ADDRESS');
  });
});
