import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

import type { Inventory } from '../../../daemon/devices/inventory.js';
import { openHardware } from '../../../daemon/service/hardware.js';
import { createKernel } from '../../../daemon/kernel/create.js';
import type { Kernel } from '../../../daemon/kernel/kernel.js';
import { loadPolicy } from '../../../daemon/policy/load.js';
import { openFds } from '../../harness/leaks.js';
import { camera, card } from '../rig/cards.js';

const POLICY = fileURLToPath(new URL('../../../../policy', import.meta.url));
/** Heaps of ordinary memory. */
const HEAPS = ['dma-heap:system', 'udmabuf'];

const state = mkdtempSync(join(tmpdir(), 'trials-'));
let calls = 0;

/** The machine's kernel, with the calls counted that only trials make. */
function countingKernel(): Kernel {
  const kernel = createKernel();
  const { drm, v4l2 } = kernel;
  return {
    ...kernel,
    drm: { ...drm, importDmaBuf: (...args) => ((calls += 1), drm.importDmaBuf(...args)) },
    v4l2: { ...v4l2, queueDmaBufs: (...args) => ((calls += 1), v4l2.queueDmaBufs(...args)) },
  };
}

/** One start of the daemon, as far as trials go. */
async function start(): Promise<{ readonly inventory: Inventory; readonly logged: readonly string[] }> {
  const logged: string[] = [];
  const { inventory, heaps } = await openHardware({
    kernel: countingKernel(),
    root: '',
    profile: undefined,
    policy: await loadPolicy({ root: '', shipped: POLICY }),
    stateDir: state,
    log: { warn: ({ event, heap }) => void logged.push(`${event} ${String(heap)}`) },
  });
  for (const heap of heaps) heap.close();
  return { inventory, logged };
}

/** What is logged at every start: a mapping of a buffer of bochs outlives its GEM object (TTM). */
const retaining = (): string => `heap-retains drm-dumb:${card('bochs-drm')}`;

/** What trials showed of a node and a heap, one text a fact. */
const shown = ({ reach }: Inventory, node: string, heap: string): readonly string[] =>
  reach
    .filter((fact) => fact.device === node && fact.heap === heap)
    .map(({ source, uses = [] }) => [source, ...uses].join(' '));

describe('trials', () => {
  let tried: Inventory;
  let opened: ReadonlyMap<number, string>;

  before(async () => {
    opened = openFds();
    const { inventory, logged } = await start();
    assert.deepEqual(logged, [retaining()]);
    tried = inventory;
  });
  after(() => {
    rmSync(state, { recursive: true });
  });

  for (const heap of HEAPS)
    it(`of ${heap} show who takes it and who refuses it, and why`, () => {
      assert.deepEqual(shown(tried, card('vgem'), heap), ['trial:PRIME_FD_TO_HANDLE']);
      assert.deepEqual(shown(tried, card('vkms'), heap), ['trial:ADDFB2']);
      assert.deepEqual(shown(tried, card('bochs-drm'), heap), ['trial:PRIME_FD_TO_HANDLE:EINVAL']);
      assert.deepEqual(shown(tried, card('virtio_gpu'), heap), ['trial:PRIME_FD_TO_HANDLE:ENODEV']);
      for (const driver of ['vivid', 'vim2m'])
        assert.deepEqual(shown(tried, camera(driver), heap), ['trial:QBUF'], driver);
    });

  it('show that each display shows its own memory', () => {
    for (const driver of ['vkms', 'bochs-drm', 'virtio_gpu']) {
      const node = card(driver);
      assert.deepEqual(shown(tried, node, `drm-dumb:${node}`), ['trial:ADDFB2'], driver);
    }
  });

  it('leave no descriptor open', () => {
    assert.deepEqual([...openFds()], [...opened]);
  });

  it('are kept: the next start makes none and knows the same', async () => {
    assert.notEqual(calls, 0);
    calls = 0;
    const { inventory, logged } = await start();
    assert.equal(calls, 0);
    assert.deepEqual(logged, [retaining()]);
    assert.deepEqual(inventory.reach, tried.reach);
    assert.deepEqual(inventory.heaps, tried.heaps);
  });
});
