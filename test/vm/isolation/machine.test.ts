import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { constants, release } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import { cards } from '../rig/cards.js';
import { heapNodes } from '../rig/heap-nodes.js';
import { runProgram } from '../rig/users.js';

/** What each scenario has, by the kernel's configuration as its package says it (`/boot/config-*`). */
const MACHINES: Readonly<
  Record<string, { release: RegExp; heaps: readonly string[]; cards: readonly string[] }>
> = {
  'isolation-6.12': {
    release: /^6\.12\./,
    heaps: ['/dev/dma_heap/system', '/dev/udmabuf'],
    cards: ['bochs-drm', 'vgem', 'virtio_gpu', 'vkms'],
  },
};
const machine = MACHINES[process.env['DMABROKER_VM_SCENARIO'] ?? ''];

describe('the machine', () => {
  it('has the kernel, the heaps and the cards of its scenario', () => {
    assert(machine !== undefined);
    assert.match(release(), machine.release);
    assert.deepEqual([...heapNodes()].sort(), machine.heaps);
    assert.deepEqual([...cards().keys()].sort(), machine.cards);
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
