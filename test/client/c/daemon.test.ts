import { spawnSync } from 'node:child_process';
import { constants } from 'node:os';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { connect } from '../../../client/index.js';
import { startDaemon, type RunningDaemon } from '../../harness/daemon.js';
import { startBus, type PrivateBus } from '../../harness/private-bus.js';
import { PROFILE, TemporaryDirectory } from '../../integration/rig.js';
import { ensure } from '../../tools/ensure.mjs';
import { command, compile, Driver, hasCompiler, READ_WRITE, type Watch } from './rig.js';

const { ENODEV, ENOTSUP, EPROTONOSUPPORT, EDQUOT, EBADF } = constants.errno;
/** Compiling, and valgrind on a busy machine. */
const SLOW = 120_000;

describe.skipIf(!hasCompiler).each(['sanitizers', 'valgrind'] as const)(
  'libdmabroker with a daemon, under %s',
  { timeout: SLOW },
  (watch: Watch) => {
    const directory = new TemporaryDirectory();
    let bus: PrivateBus;
    let daemon: RunningDaemon;
    let programs: Readonly<Record<'driver' | 'arguments', string>>;
    beforeAll(async () => {
      if (watch === 'valgrind' && !ensure(['valgrind'], { optional: true })) return;
      bus = await startBus();
      daemon = await startDaemon({ bus, args: ['--profile', PROFILE] });
      programs = await compile(directory.path, watch, ['driver', 'arguments']);
    }, SLOW);
    afterAll(async () => {
      await (daemon as RunningDaemon | undefined)?.stop();
      await (bus as PrivateBus | undefined)?.stop();
      directory[Symbol.dispose]();
    });
    const here = it.skipIf(watch === 'valgrind' && !ensure(['valgrind'], { optional: true }));

    async function opened(): Promise<Driver> {
      const driver = new Driver(programs.driver, watch);
      await driver.all(`open ${bus.address}`, 'request');
      return driver;
    }

    /** What the service counts when everything is given back. */
    async function nothingIsHeld(): Promise<void> {
      await using broker = await connect({ bus: bus.address });
      await expect.poll(async () => (await broker.status()).liveBuffers, { timeout: 10_000 }).toBe(0n);
    }

    here('refuses wrong arguments, and a child', () => {
      const [program, ...args] = command(programs.arguments, watch);
      const { status, stdout, stderr } = spawnSync(program, [...args, bus.address], { encoding: 'utf8' });
      expect([status, stdout, stderr]).toEqual([0, '', '']);
    });

    here('allocates more than fit into a call, adds to them, and gives them back', async () => {
      await using driver = await opened();
      const { result: before } = await driver.ask('fds');
      await driver.all('image 1366 768 NV12', `device cpu ${READ_WRITE}`, 'limit 0 0 256', 'count 40');
      const { text: path } = await driver.all('allocate');
      expect(path).toMatch(/^\/org\/dmabroker1\/allocation\//);
      // 1366 is 5.3 times 256; rows of chroma follow the 768 of luma.
      const size = (768 + 384) * 1536;
      expect(await driver.ask('layout')).toEqual({
        result: 2,
        text: `1366x768 NV12 0x0 ${size} 2 0+1536 ${768 * 1536}+1536`,
      });
      await driver.all('extend 20');
      expect((await driver.ask('count')).result).toBe(60);
      expect((await driver.ask('fds')).result).toBe(before + 60);
      expect((await driver.ask('take 59')).result).toBe(0);
      expect((await driver.ask('take 59')).result).toBe(-EBADF);
      expect((await driver.ask('fd 59')).result).toBe(-EBADF);
      await driver.all('release');
      expect((await driver.ask('fds')).result).toBe(before);
      await nothingIsHeld();
    });

    here('allocates memory without an image', async () => {
      await using driver = await opened();
      await driver.all('size 100000', `device cpu ${READ_WRITE}`, 'label from-c', 'allocate');
      expect(await driver.ask('layout')).toEqual({ result: 0, text: '0x0  0x0 100000 2' });
      await using broker = await connect({ bus: bus.address });
      expect(await broker.allocations()).toMatchObject([{ label: 'from-c', layout: { size: 100_000n } }]);
    });

    here('explains, and has the constraints of a conflict', async () => {
      await using driver = await opened();
      await driver.all('image 640 480 XR24', `device cpu ${READ_WRITE}`, 'limit 0 0 256');
      const { result, text } = await driver.ask('explain');
      expect([result, text]).toEqual([
        1,
        expect.stringMatching(/^1228800 2560 feasible: .*cpu: pitch-multiple 256/),
      ]);
      await driver.all('limit 0 1 100');
      expect(await driver.ask('explain')).toEqual({
        result: 0,
        text: expect.stringMatching(/^0 0 not feas/) as string,
      });
      expect((await driver.ask('constraints')).result).toBe(0);
      expect((await driver.ask('allocate')).result).toBe(-ENOTSUP);
      const constraints = await driver.ask('constraints');
      expect(constraints.result).toBe(2);
      expect(constraints.text.split(' ').toSorted()).toEqual([
        '0:cpu:pitch-exact:100:client',
        '0:cpu:pitch-multiple:256:client',
      ]);
      await driver.all('async');
      expect((await driver.ask('loop')).result).toBe(-ENOTSUP);
      expect((await driver.ask('constraints')).result).toBe(2);
      await driver.all('request', 'image 640 480 XR24', 'device /dev/none 1');
      expect((await driver.ask('allocate')).result).toBe(-ENODEV);
      expect((await driver.ask('constraints')).result).toBe(0);
    });

    here('says with an errno what the service refuses', async () => {
      await using driver = await opened();
      await driver.all('image 640 480 ....', `device cpu ${READ_WRITE}`);
      expect((await driver.ask('allocate')).result).toBe(-EPROTONOSUPPORT);
      await driver.all(`size ${2 ** 45}`);
      expect((await driver.ask('allocate')).result).toBe(-EDQUOT);
    });

    here('undoes the first calls where a later one is refused', async () => {
      await using driver = await opened();
      const { result: before } = await driver.ask('fds');
      // 300 MiB each: the third call asks for more than a user may have.
      await driver.all(`size ${300 * 2 ** 20}`, `device cpu ${READ_WRITE}`, 'count 4000');
      expect((await driver.ask('allocate')).result).toBeLessThan(0);
      expect((await driver.ask('fds')).result).toBe(before);
      await nothingIsHeld();
    });

    here('allocates from an event loop, in order', async () => {
      await using driver = await opened();
      await driver.all('size 4096', `device cpu ${READ_WRITE}`, 'count 20', 'async', 'watch', 'loop');
      expect((await driver.ask('count')).result).toBe(20);
      await driver.all('count 1', 'async', 'count 2', 'async', 'loop');
      expect((await driver.ask('count')).result).toBe(1);
      await driver.all('loop');
      expect((await driver.ask('count')).result).toBe(2);
      // One that is dropped at the end.
      await driver.all('async', 'close');
      await nothingIsHeld();
    });

    here('waits in a call while another is asked from an event loop', async () => {
      await using driver = await opened();
      await driver.all('size 4096', `device cpu ${READ_WRITE}`, 'async', 'count 3', 'allocate');
      expect((await driver.ask('count')).result).toBe(3);
      await driver.all('loop');
      expect((await driver.ask('count')).result).toBe(1);
    });
  },
);
