import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import { describe, it } from 'node:test';

import { Window } from '../../../client/memory/window.js';
import { readInventory } from '../../../daemon/devices/read-inventory.js';
import { openHeaps } from '../../../daemon/heaps/open.js';
import { createKernel } from '../../../daemon/kernel/create.js';
import { KernelError } from '../../../daemon/kernel/errors.js';
import type { OwnedFd } from '../../../dbus/owned-fd.js';
import { camera, card } from '../rig/cards.js';

const kernel = createKernel();
const { memory, dmaBuf, drm, v4l2 } = kernel;
const PAGE = 4096n;
const fdinfo = (fd: OwnedFd): string => readFileSync(`/proc/self/fdinfo/${fd.number}`, 'latin1');

async function systemBuffer(size = PAGE): Promise<OwnedFd> {
  using heap = memory.openNode('/dev/dma_heap/system');
  return await memory.allocateDmaHeap(heap.number, size);
}

describe('the system heap', () => {
  it('rounds up to pages and shows the label', async () => {
    using buffer = await systemBuffer(100n);
    assert.equal(dmaBuf.size(buffer.number), PAGE);
    dmaBuf.setName(buffer.number, 'frame');
    assert.match(fdinfo(buffer), /^exp_name:\s*system$/m);
    assert.match(fdinfo(buffer), /^name:\s*frame$/m);
  });

  it('counts references: alone, with a dup, imported', async () => {
    using buffer = await systemBuffer();
    assert.equal(dmaBuf.references(buffer.number), 1);
    const second = buffer.dup();
    assert.equal(dmaBuf.references(buffer.number), 2);
    second.close();
    using node = drm.open(card('vgem'));
    const handle = await drm.importDmaBuf(node.number, buffer.number);
    assert.equal(dmaBuf.references(buffer.number), 4);
    await drm.closeHandle(node.number, handle);
    assert.equal(dmaBuf.references(buffer.number), 1);
  });

  it('is cleared on the thread pool', async () => {
    const size = PAGE * 16n;
    using buffer = await systemBuffer(size);
    const window = new Window(Number(size));
    (await window.open(buffer.number)).fill(0xa5);
    await window.close();
    await dmaBuf.clear(buffer.number);
    const cleared = (await window.open(buffer.number)).every((byte) => byte === 0);
    await window.close();
    assert(cleared);
    assert.equal(dmaBuf.references(buffer.number), 1);
  });

  for (const driver of ['virtio_gpu', 'bochs-drm'])
    it(`is refused by ${driver}`, async () => {
      using buffer = await systemBuffer();
      using node = drm.open(card(driver));
      await assert.rejects(drm.importDmaBuf(node.number, buffer.number), KernelError);
    });
});

describe('every heap of the inventory', () => {
  it('is classed, and gives memory that nobody else holds', async () => {
    const inventory = await readInventory({ root: '', kernel, ram: () => Promise.resolve(totalmem()) });
    const classes = new Map(inventory.heaps.map((heap) => [heap.id, heap.class.value]));
    assert.equal(classes.get('dma-heap:system'), 'scattered');
    assert.equal(classes.get('udmabuf'), 'scattered');
    assert.equal(classes.get('memfd'), 'plain');
    const subsystems = inventory.devices.map((device) => device.subsystem);
    assert(subsystems.includes('drm') && subsystems.includes('video4linux'));
    assert(inventory.devices.some(({ driver }) => driver === 'virtio_gpu'));
    const { heaps, refused } = openHeaps(inventory.heaps, { kernel, root: '', pageSize: PAGE });
    assert.deepEqual(refused, []);
    for (const heap of heaps) {
      using buffer = await heap.allocate(100_000n).catch((cause: unknown) => {
        throw new Error(heap.id, { cause });
      });
      assert(dmaBuf.size(buffer.number) >= 100_000n, heap.id);
      if (heap.countsReferences) assert.equal(dmaBuf.references(buffer.number), 1, heap.id);
      heap.close();
    }
  });
});

describe('display calls', () => {
  for (const driver of ['virtio_gpu', 'bochs-drm'])
    it(`${driver} tells its planes and connectors`, () => {
      using node = drm.open(card(driver));
      drm.showAllPlanes(node.number);
      const { crtcs, connectors } = drm.resources(node.number);
      assert(crtcs.length > 0);
      for (const id of connectors) assert.notEqual(drm.connector(node.number, id).name, '');
      const planes = drm.planes(node.number);
      assert(planes.length > 0);
      // A cursor plane has formats of its own.
      assert(planes.some((id) => drm.plane(node.number, id).formats.includes('XR24')));
      for (const id of planes) {
        const published = drm.inFormats(node.number, id);
        if (published === undefined) continue;
        const { formats } = drm.plane(node.number, id);
        assert.deepEqual([...new Set(published.map(({ format }) => format))].sort(), [...formats].sort());
      }
    });
});

describe('vivid', () => {
  it('lists formats and tries one without changing it', async () => {
    using node = memory.openNode(camera('vivid'));
    assert.equal(v4l2.queryCapabilities(node.number).driver, 'vivid');
    const names = v4l2.formats(node.number, 'capture').map(({ fourcc }) => fourcc);
    assert(names.includes('YUYV'));
    const image = await v4l2.tryFormat(node.number, 'capture', { fourcc: 'YUYV', width: 640, height: 360 });
    assert.equal(image.planes[0]?.bytesPerLine, image.width * 2);
  });
});
