import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

import type { Device, Inventory } from '../../../daemon/devices/inventory.js';
import { readInventory } from '../../../daemon/devices/read-inventory.js';
import { FileTrialStore } from '../../../daemon/devices/trials/file-store.js';
import { probe } from '../../../daemon/devices/trials/probe.js';
import type { Heap } from '../../../daemon/heaps/heap.js';
import { openHeaps } from '../../../daemon/heaps/open.js';
import { createKernel } from '../../../daemon/kernel/create.js';
import { loadPolicy } from '../../../daemon/policy/load.js';

const kernel = createKernel();
const logged: string[] = [];
const log = { warn: (_details: object, message: string) => void logged.push(message) };
const stateDir = mkdtempSync(join(tmpdir(), 'trials-'));
let published: Inventory;
let heaps: readonly Heap[];
let tried: Inventory;
let took: number;

async function run(): Promise<Inventory> {
  const policy = await loadPolicy({
    root: '',
    shipped: fileURLToPath(new URL('../../../../policy', import.meta.url)),
  });
  const rules = (device: Device) => policy.device(device);
  const start = performance.now();
  const result = await probe(published, {
    kernel,
    root: '',
    heaps,
    rules,
    store: new FileTrialStore(stateDir, log),
    log,
  });
  took = performance.now() - start;
  return result;
}

before(async () => {
  published = await readInventory({ root: '', kernel, ram: () => Promise.resolve(0) });
  heaps = openHeaps(published.heaps, { kernel, root: '', pageSize: 4096n }).heaps;
  tried = await run();
  console.error('took', took);
});
after(() => {
  for (const heap of heaps) heap.close();
});

const nodeOf = (driver: string): string =>
  published.devices.find((device) => device.driver === driver)?.node ?? '';

const said = (driver: string, heap: string): readonly string[] =>
  tried.reach
    .filter((fact) => fact.device === nodeOf(driver) && fact.heap === heap)
    .map(({ source, uses }) => [source, ...(uses ?? [])].join(' '));

describe('trials', () => {
  it('debug', () => {
    assert.fail(
      JSON.stringify(
        [
          took,
          logged,
          tried.reach,
          tried.heaps,
          tried.devices.map(({ node, driver, limits }) => [node, driver, limits]),
        ],
        (_k, v: unknown) => (typeof v === 'bigint' ? String(v) : v),
        1,
      ) + readFileSync(join(stateDir, 'trials.json'), 'utf8'),
    );
  });
  for (const heap of ['dma-heap:system', 'udmabuf']) {
    it(`${heap}`, () => {
      assert.deepEqual(said('vgem', heap), ['trial:PRIME_FD_TO_HANDLE']);
      assert.deepEqual(said('virtio_gpu', heap), ['trial:PRIME_FD_TO_HANDLE:ENODEV']);
      assert.deepEqual(said('bochs-drm', heap), ['trial:PRIME_FD_TO_HANDLE:EINVAL']);
      assert.deepEqual(said('vivid', heap), ['trial:QBUF']);
    });
  }
  it('again', async () => {
    const before = tried.reach;
    const first = took;
    const again = await run();
    assert.deepEqual(again.reach, before);
    assert(took < first, String([took, first]));
    assert.fail(String([took, first]));
  });
});
