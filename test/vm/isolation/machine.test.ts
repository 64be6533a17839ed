import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { constants, release } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import { cards } from '../rig/cards.js';
import { heapNodes } from '../rig/heap-nodes.js';
import { runProgram } from '../rig/users.js';

const CARDS = ['bochs-drm', 'vgem', 'virtio_gpu', 'vkms'];
const SYSTEM = ['/dev/dma_heap/system', '/dev/udmabuf'];

/** One area, as the default and as one of those that have a name: drivers/dma-buf/heaps/cma_heap.c, add_cma_heaps. */
const TWO_NAMES = ['/dev/dma_heap/default_cma_region', '/dev/dma_heap/reserved'];
/** No Debian has less than 7.3 as its newest. */
const NEWEST = /^(?:7\.[3-9]|7\.\d\d|[89]|\d\d)\b/;

interface Machine {
  readonly release: RegExp;
  readonly heaps: readonly string[];
}

/**
 * What the kernel of each scenario has. Debian's configurations, `/boot/config-RELEASE` in the packages: 6.1 has neither
 * DMABUF_HEAPS nor UDMABUF, 6.12 and 7.3 have both and no DMABUF_HEAPS_CMA. Names of the CMA heap: kernel/dma/contiguous.c,
 * drivers/dma-buf/heaps/cma_heap.c.
 */
const MACHINES: Readonly<Record<string, Machine>> = {
  'isolation-6.1': { release: /^6\.1\./, heaps: [] },
  'isolation-6.12': { release: /^6\.12\./, heaps: SYSTEM },
  'isolation-newest': { release: NEWEST, heaps: SYSTEM },
  'isolation-cma-6.1': { release: /^6\.1\./, heaps: ['/dev/dma_heap/reserved', ...SYSTEM] },
  'isolation-cma-6.12': { release: /^6\.12\./, heaps: ['/dev/dma_heap/reserved', ...SYSTEM] },
  'isolation-cma-newest': { release: NEWEST, heaps: [...TWO_NAMES, ...SYSTEM] },
};
const machine = MACHINES[process.env['DMABROKER_VM_SCENARIO'] ?? ''];

describe('the machine', () => {
  it('has the kernel, the heaps and the cards of its scenario', () => {
    assert(machine !== undefined);
    assert.match(release(), machine.release);
    assert.deepEqual([...heapNodes()].sort(), machine.heaps);
    assert.deepEqual([...cards().keys()].sort(), CARDS);
  });

  it('lets every user open cards and cameras, and only root heaps', async () => {
    const nodes = ['/dev/dri', '/dev'].flatMap((directory) =>
      readdirSync(directory)
        .filter((name) => /^(?:card|renderD|video)\d+$/.test(name))
        .map((name) => join(directory, name)),
    );
    assert(nodes.some((node) => node.startsWith('/dev/video')));
    const tried = await runProgram('attacker', 'try-open', [...nodes, ...heapNodes()]);
    const refused = heapNodes().map((node) => `${node} ${String(constants.errno.EACCES)}`);
    assert.deepEqual(tried, [...nodes.map((node) => `${node} 0`), ...refused]);
  });
});
