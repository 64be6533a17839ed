import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readdirSync, readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { connect, DmabrokerError, type Broker } from '../../client/index.js';
import { io, ioctl } from '../../daemon/kernel/ioctl.js';
import { memoryCalls } from '../../daemon/kernel/memory.js';
import type { OwnedFd } from '../../dbus/owned-fd.js';
import { endChild, startBus, type PrivateBus } from '../harness/private-bus.js';

const PROGRAM = fileURLToPath(new URL('../../daemon/main.js', import.meta.url));
/** What the machine sends to the host when the tests are over. */
const LOG = '/tmp/daemon.log';
const DRM_IOCTL_SET_MASTER = io('DRM_IOCTL_SET_MASTER', 'd', 0x1e);
/** Milliseconds until a wait has failed. */
const PATIENCE = 20_000;

const fdinfo = (fd: OwnedFd): string => readFileSync(`/proc/self/fdinfo/${fd.number}`, 'latin1');

async function until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  const end = Date.now() + PATIENCE;
  for (;;) {
    const seen = await look();
    if (seen !== undefined) return seen;
    assert(Date.now() < end, `waited in vain: ${what}`);
    await pause(20);
  }
}

let bus: PrivateBus;
let daemon: ChildProcess;
let broker: Broker;

const open = (): Promise<Broker> => connect({ bus: bus.address });
const live = async (): Promise<bigint> => (await broker.status()).liveBytes;
const nothingLives = (): Promise<true> =>
  until('nothing lives', async () => ((await live()) === 0n ? true : undefined));

before(async () => {
  bus = await startBus();
  const log = openSync(LOG, 'a');
  daemon = spawn(process.execPath, [PROGRAM, '--bus', bus.address], { stdio: ['ignore', log, log] });
  broker = await until('the daemon', async () => {
    try {
      return await open();
    } catch (error) {
      if (!(error instanceof DmabrokerError)) throw error;
      assert.equal(daemon.exitCode, null, readFileSync(LOG, 'utf8'));
      return undefined;
    }
  });
});
after(async () => {
  await broker.close();
  await endChild(daemon);
  await bus.stop();
});

describe('the daemon on a real kernel', () => {
  const cpu = { device: 'cpu', uses: ['read', 'write'] } as const;

  it('gives a labelled dma-buf, and orphans what a client still holds', async () => {
    const allocation = await broker.allocate([cpu], { size: 1 << 20, label: 'a frame' });
    const [buffer] = allocation.buffers;
    assert(buffer !== undefined);
    assert.match(fdinfo(buffer.fd), /^exp_name:\s*(system|udmabuf)$/m);
    assert.match(fdinfo(buffer.fd), /^name:\s*a frame$/m);
    await buffer.map({ read: true }, (bytes) => {
      assert(bytes.every((byte) => byte === 0));
    });
    const kept = buffer.fd.dup();
    await allocation.release();
    const left = (await broker.allocations()).find(({ path }) => path === allocation.path);
    assert.equal(left?.state, 'orphaned');
    kept.close();
    await nothingLives();
  });

  it('gives what vivid captures into and a CPU reads', async () => {
    await using allocation = await broker.allocate([{ device: '/dev/video0', uses: ['capture'] }, cpu], {
      width: 640,
      height: 360,
      format: 'YUYV',
    });
    assert.equal(allocation.layout.planes[0]?.pitch, 1280);
  });

  it('frees what an owner that leaves had', async () => {
    await nothingLives();
    const other = await open();
    const { buffers } = await other.allocate([cpu], { size: 4096 });
    assert((await live()) > 0n);
    for (const { fd } of buffers) fd.close();
    await other.close();
    await nothingLives();
  });

  it('leaves the displays to whoever becomes master', () => {
    const cards = readdirSync('/dev/dri').filter((name) => name.startsWith('card'));
    for (const name of cards) {
      using node = memoryCalls.openNode(`/dev/dri/${name}`);
      assert.equal(ioctl(DRM_IOCTL_SET_MASTER, node.number, null), 0, name);
    }
  });

  it('ends when it is told to', async () => {
    const ended = once(daemon, 'exit');
    daemon.kill('SIGTERM');
    assert.deepEqual(await ended, [0, null]);
  });
});
