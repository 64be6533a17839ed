import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { before, describe, it } from 'node:test';

import { cmaTaken, REGIONS } from '../rig/cma.js';
import { startDaemon } from '../rig/daemon.js';
import { localPolicy } from '../rig/local-policy.js';
import { meminfo } from '../rig/meminfo.js';
import { poolOfHeap, type RevealedPool } from '../rig/pools.js';

/** What this boot called its CMA heap; the test itself knows no name. */
const NAME = (process.env['DMABROKER_VM_SCENARIO'] ?? '').replace(/^cma-named-/, '');
/** The regions once more, for the test that hides them from the daemon. */
const SEEN = '/tmp/cma';
const SIZE = 1n << 20n;

/** Starts a daemon, takes contiguous memory from it, and says what it makes of the heap. */
async function contiguousPool(): Promise<RevealedPool> {
  // What the daemon lays in stock meanwhile would be counted, too.
  using _policy = localPolicy('[Pool contiguous]\nWarm=0\n');
  await using daemon = await startDaemon();
  const { broker } = daemon;
  const taken = cmaTaken(SEEN);
  const allocation = await broker.allocate([{ device: 'cpu', uses: ['read'], contiguous: true }], {
    size: SIZE,
  });
  const given = cmaTaken(SEEN) - taken;
  const pool = await poolOfHeap(broker, NAME);
  assert.equal(pool?.handle, allocation.layout.pool);
  assert.equal(given, SIZE);
  await allocation.release();
  return pool;
}

describe(`the CMA heap named ${NAME}`, () => {
  before(() => {
    mkdirSync(SEEN);
    execFileSync('mount', ['-o', 'bind', REGIONS, SEEN]);
  });

  it('is the only one besides the system heap', () => {
    assert.deepEqual(new Set(readdirSync('/dev/dma_heap')), new Set(['system', NAME]));
  });

  it('is contiguous because the kernel has a CMA region of that name', async () => {
    const { class: memoryClass, details } = await contiguousPool();
    assert.equal(memoryClass, 'contiguous');
    assert.equal(details['class-source'], `kernel:${REGIONS}/${NAME}`);
    assert.equal(details['capacity'], meminfo('CmaTotal'));
  });

  it('is contiguous by what it does, where the kernel does not show its regions', async () => {
    execFileSync('mount', ['-t', 'tmpfs', 'none', REGIONS]);
    try {
      const { class: memoryClass, details } = await contiguousPool();
      assert.equal(memoryClass, 'contiguous');
      assert.equal(details['class-source'], 'trial:CmaFree');
      assert.equal(details['capacity'], meminfo('CmaTotal'));
    } finally {
      execFileSync('umount', [REGIONS]);
    }
  });

  it('is what a rule of policy says, whatever it does', async () => {
    using _policy = localPolicy(`[Heap kind=dma-heap name=${NAME}]\nClass=device\n`);
    await using daemon = await startDaemon();
    assert.equal((await poolOfHeap(daemon.broker, NAME))?.class, 'device');
  });
});
