import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { openHardware, type Hardware } from '../../../daemon/service/hardware.js';
import { createKernel } from '../../../daemon/kernel/create.js';
import { policyOf } from '../machine.js';

const PROFILE = fileURLToPath(new URL('../../fixtures/profiles/raspberry-pi-4.json', import.meta.url));
const kernel = createKernel();
let root = '';
let opened: Hardware | undefined;

const open = async (profile?: string): Promise<Hardware> => {
  opened = await openHardware({
    kernel,
    root,
    profile,
    policy: policyOf(''),
    log: { warn: () => undefined },
  });
  return opened;
};

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'hardware-'));
});
afterEach(() => {
  for (const heap of opened?.heaps ?? []) heap.close();
  opened = undefined;
  rmSync(root, { recursive: true });
});

describe('openHardware', () => {
  it('has the CPU and plain memory where there is nothing else', async () => {
    const { inventory, heaps } = await open();
    expect(inventory.devices.map(({ node }) => node)).toEqual(['cpu']);
    expect(heaps.map(({ id }) => id)).toEqual(['memfd']);
    expect(inventory.machine.ram.value).toBeGreaterThan(0n);
  });

  it('puts plain memory behind every heap of a profile', async () => {
    const { inventory, heaps } = await open(PROFILE);
    expect(heaps.map(({ id }) => id)).toEqual(inventory.heaps.map(({ id }) => id));
    expect(inventory.heaps.map((heap) => heap.class.value)).toContain('contiguous');
    expect(heaps.every(({ countsReferences }) => !countsReferences)).toBe(true);
    const [heap] = heaps;
    using buffer = await heap?.allocate(1n);
    expect(kernel.dmaBuf.size(buffer?.number ?? -1)).toBeGreaterThanOrEqual(4096n);
  });

  it('warns of a heap that it may not open, and works without it', async () => {
    mkdirSync(join(root, 'dev/dma_heap/system'), { recursive: true });
    const { inventory, heaps, warnings } = await open();
    expect(heaps.map(({ id }) => id)).toEqual(['memfd']);
    expect([...inventory.warnings, ...warnings].join('\n')).toContain('/dev/dma_heap/system');
  });

  it('says which profile it cannot use', async () => {
    await expect(open(join(root, 'nothing.json'))).rejects.toThrow('nothing.json');
    const broken = join(root, 'broken.json');
    writeFileSync(broken, '{');
    await expect(open(broken)).rejects.toThrow('broken.json');
  });
});
