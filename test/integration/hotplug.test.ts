import { once } from 'node:events';
import { rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { connect, type Broker } from '../../client/index.js';
import type { BrokerObject } from '../../client/model.js';
import type { Watch } from '../../client/watch.js';
import { startDaemon, type RunningDaemon } from '../harness/daemon.js';
import { expectNoNewFds, openFds } from '../harness/leaks.js';
import { startBus, type PrivateBus } from '../harness/private-bus.js';
import { NOTHING_READY, writePolicy } from '../harness/root-policy.js';
import { SysfsTree } from '../tools/sysfs-tree.js';
import { naming } from '../harness/naming.js';

const CAMERA = '/sys/devices/camera';
const GRAPHICS = '/sys/devices/graphics';
const TIMES = 10;

let tree: SysfsTree;
let bus: PrivateBus;
let daemon: RunningDaemon;
let broker: Broker;
let watch: Watch;
beforeEach(async () => {
  tree = new SysfsTree().memory().directory('/dev/dma_heap').directory('/sys/class/video4linux');
  writePolicy(tree.root, NOTHING_READY);
  bus = await startBus();
  daemon = await startDaemon({ bus, args: ['--root', tree.root] });
  broker = await connect({ bus: bus.address });
  watch = await broker.watch();
});
afterEach(async () => {
  await watch[Symbol.asyncDispose]();
  await broker.close();
  await daemon.stop();
  await bus.stop();
  tree[Symbol.dispose]();
});

/** Waits until what the bus shows is so. */
async function shows(holds: (objects: readonly BrokerObject[]) => boolean): Promise<void> {
  while (!holds([...watch.objects.values()])) {
    const done = new AbortController();
    const any = (['added', 'changed', 'removed'] as const).map((event) =>
      once(watch, event, { signal: done.signal }),
    );
    await Promise.race(any);
    done.abort();
    await Promise.allSettled(any);
  }
}

const has =
  (is: (object: BrokerObject) => boolean) =>
  (objects: readonly BrokerObject[]): boolean =>
    objects.some(is);
const isCamera = (object: BrokerObject): boolean => object.kind === 'device' && object.node === '/dev/video0';
const isScattered = (object: BrokerObject): boolean => object.kind === 'pool' && object.class === 'scattered';

const remove = (path: string): void => {
  rmSync(join(tree.root, path), { recursive: true });
};

describe('the daemon on a tree that changes', () => {
  it('says how it watches', () => {
    expect(daemon.log()).toContain('"event":"nodes-watched"');
  });

  it('shows a device while it is there, and leaves what lives alone', async () => {
    const allocation = await broker.allocate([{ device: 'cpu', uses: ['read', 'write'] }], { size: 4096 });
    const [buffer] = allocation.buffers;
    await buffer?.map({ write: true }, (bytes) => bytes.fill(0xa5));
    const before = openFds(daemon.pid);
    for (let i = 0; i < TIMES; i++) {
      tree.video('video0', '81:0', CAMERA);
      await shows(has(isCamera));
      for (const path of ['/sys/class/video4linux/video0', CAMERA, '/dev/video0']) remove(path);
      await shows((objects) => !has(isCamera)(objects));
    }
    await buffer?.map({ read: true }, (bytes) => {
      expect(bytes.every((byte) => byte === 0xa5)).toBe(true);
    });
    expect(await broker.allocations()).toHaveLength(1);
    await expectNoNewFds(before, { pid: daemon.pid });
    await allocation.release();
  });

  it('tells when a second node of a device comes, which is not there yet when the first is', async () => {
    const isCard =
      (...others: readonly string[]) =>
      (object: BrokerObject): boolean =>
        object.kind === 'device' &&
        object.node === '/dev/dri/card0' &&
        object.otherNodes.join() === others.join();
    tree.drm('card0', '226:0', GRAPHICS);
    await shows(has(isCard()));
    tree.drm('renderD128', '226:128', GRAPHICS);
    await shows(has(isCard('/dev/dri/renderD128')));
    expect((await broker.devices()).some(isCard('/dev/dri/renderD128'))).toBe(true);
  });

  it('shows a pool while its memory is there, and warns when it is gone', async () => {
    const before = openFds(daemon.pid);
    const handles = new Set<string>();
    for (let i = 0; i < TIMES; i++) {
      // A character device that anybody may open, and no heap: it gives nothing, but it comes and goes as one.
      symlinkSync('/dev/null', join(tree.root, 'dev/dma_heap/system'));
      await shows(has(isScattered));
      const before = (await broker.status()).warnings.join();
      for (const closed of handles) expect(before).not.toContain(closed);
      for (const { handle } of (await broker.pools()).filter(isScattered)) handles.add(handle);
      remove('/dev/dma_heap/system');
      await shows((objects) => !has(isScattered)(objects));
      const { warnings } = await broker.status();
      const last = [...handles].at(-1) ?? '?';
      expect(warnings.filter((text) => naming(last, 'scattered').test(text))).toHaveLength(1);
      expect(warnings.join()).not.toContain('system');
    }
    expect(handles.size).toBe(TIMES);
    expect(daemon.log()).toContain('"event":"heap-gone","heap":"dma-heap:system"');
    await expectNoNewFds(before, { pid: daemon.pid });
  });
});
