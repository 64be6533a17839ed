import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';

import { io, ioctl } from '../../../daemon/kernel/ioctl.js';
import { memoryCalls } from '../../../daemon/kernel/memory.js';
import type { OwnedFd } from '../../../dbus/owned-fd.js';
import { camera } from '../rig/cards.js';
import { nothingLives, startDaemon, type RunningDaemon } from '../rig/daemon.js';

const DRM_IOCTL_SET_MASTER = io('DRM_IOCTL_SET_MASTER', 'd', 0x1e);

const fdinfo = (fd: OwnedFd): string => readFileSync(`/proc/self/fdinfo/${fd.number}`, 'latin1');

let daemon: RunningDaemon;

before(async () => {
  daemon = await startDaemon();
});
after(async () => {
  await daemon[Symbol.asyncDispose]();
});

describe('the daemon on a real kernel', () => {
  const cpu = { device: 'cpu', uses: ['read', 'write'] } as const;

  it('gives a labelled dma-buf, and orphans what a client still holds', async () => {
    const { broker } = daemon;
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
    await nothingLives(broker);
  });

  it('gives what vivid captures into and a CPU reads', async () => {
    await using allocation = await daemon.broker.allocate(
      [{ device: camera('vivid'), uses: ['capture'] }, cpu],
      { width: 640, height: 360, format: 'YUYV' },
    );
    assert.equal(allocation.layout.planes[0]?.pitch, 1280);
  });

  it('frees what an owner that leaves had', async () => {
    const { broker } = daemon;
    await nothingLives(broker);
    const other = await daemon.open();
    const { buffers } = await other.allocate([cpu], { size: 4096 });
    assert((await broker.status()).liveBytes > 0n);
    for (const { fd } of buffers) fd.close();
    await other.close();
    await nothingLives(broker);
  });

  it('leaves the displays to whoever becomes master', () => {
    const cards = readdirSync('/dev/dri').filter((name) => name.startsWith('card'));
    for (const name of cards) {
      using node = memoryCalls.openNode(`/dev/dri/${name}`);
      assert.equal(ioctl(DRM_IOCTL_SET_MASTER, node.number, null), 0, name);
    }
  });

  it('ends when it is told to', async () => {
    const other = await startDaemon();
    assert.deepEqual(await other.stop(), { code: 0, signal: null });
  });
});
