import { readdirSync, readFileSync } from 'node:fs';
import { format } from 'prettier';
import { describe, expect, it } from 'vitest';

import { pixelFormat } from '../../../../daemon/constraints/formats.js';
import { MODIFIER_INVALID } from '../../../../daemon/constraints/constraint-types.js';
import type { Device, Inventory } from '../../../../daemon/devices/inventory.js';
import { inventoryFromProfile } from '../../../../daemon/devices/profile/read.js';
import { ProfileSchema } from '../../../../daemon/devices/profile/schema.js';
import { profileFromInventory } from '../../../../daemon/devices/profile/write.js';
import { PROFILES } from '../../../tools/profiles/index.js';

const DIRECTORY = new URL('../../../fixtures/profiles/', import.meta.url);
const SCHEMA = new URL('../../../../daemon/devices/profile/profile.schema.json', import.meta.url);

const files = readdirSync(DIRECTORY).filter((name) => name.endsWith('.json'));
const load = (file: string) => inventoryFromProfile(readFileSync(new URL(file, DIRECTORY), 'utf8'), file);

/** Formats that only have layouts which are not linear: no table of linear ones knows them. */
const NEVER_LINEAR = ['YU08', 'YU10'];

describe('the profiles of the fixtures', () => {
  it('has a file for each description and no other', () => {
    expect(files.toSorted()).toEqual(
      Object.keys(PROFILES)
        .map((name) => `${name}.json`)
        .toSorted(),
    );
    expect(files.length).toBeGreaterThanOrEqual(13);
  });

  describe.each(Object.entries(PROFILES))('%s', (name, { inventory, provenance }) => {
    it('is what its description says', async () => {
      await expect(profileFromInventory(inventory, provenance)).toMatchFileSnapshot(
        new URL(`${name}.json`, DIRECTORY).pathname,
      );
    });

    it('loads without a warning, and says what it was constructed from', () => {
      const loaded = load(`${name}.json`);
      expect(loaded.warnings).toEqual([]);
      expect(loaded.inventory).toEqual(inventory);
      expect(loaded.provenance).toEqual(provenance);
      expect(loaded.provenance?.kind).toBe('constructed');
    });

    it('describes a machine that can be', () => {
      const loaded = load(`${name}.json`).inventory;
      expectMachine(loaded);
      for (const device of loaded.devices) expectDevice(device);
      for (const heap of loaded.heaps) {
        expect(heap.class.source).toMatch(/^(kernel|trial):./);
        if (heap.kind === 'drm-dumb') expect(loaded.devices.map(({ node }) => node)).toContain(heap.node);
      }
    });
  });

  it('keeps the JSON schema that is published equal to the code', async () => {
    const text = await format(JSON.stringify(ProfileSchema), { parser: 'json', printWidth: 110 });
    await expect(text).toMatchFileSnapshot(SCHEMA.pathname);
  });
});

function expectMachine({ machine, devices, heaps }: Inventory): void {
  expect(machine.ram.value).toBeGreaterThan(0n);
  expect(machine.ramTop.value).toBeGreaterThanOrEqual(machine.ram.value);
  const names = devices.flatMap(({ node, otherNodes }) => [node, ...otherNodes]);
  const numbers = devices.flatMap(({ number, otherNumbers }) => [number, ...otherNumbers]);
  expect(new Set(names).size).toBe(names.length);
  expect(new Set(numbers).size).toBe(numbers.length);
  expect(devices[0]?.node).toBe('cpu');
  expect(heaps.map(({ id }) => id)).toEqual(expect.arrayContaining(['dma-heap:system', 'udmabuf', 'memfd']));
}

function expectDevice(device: Device): void {
  const { node, subsystem, formats, limits, modes, uses } = device;
  if (subsystem !== 'cpu') expect(device.driver, node).not.toBe('');
  if (subsystem === 'video4linux')
    expect(limits, node).toContainEqual({
      limit: 'pitch-linked',
      value: true,
      source: 'kernel:v4l2_pix_format',
    });
  expect(uses.includes('scanout'), node).toBe(modes.length > 0);
  for (const connector of new Set(modes.map((mode) => mode.connector))) {
    const its = modes.filter((mode) => mode.connector === connector);
    expect(
      its.filter(({ preferred }) => preferred),
      `${node} ${connector}`,
    ).toHaveLength(1);
    expect(its.filter(({ current }) => current).length, `${node} ${connector}`).toBeLessThanOrEqual(1);
  }
  for (const { format, modifiers, uses: taken } of formats) {
    expect(pixelFormat(format) !== undefined || NEVER_LINEAR.includes(format), `${node} ${format}`).toBe(
      true,
    );
    expect(modifiers.length, `${node} ${format}`).toBeGreaterThan(0);
    expect(new Set(modifiers).size, `${node} ${format}`).toBe(modifiers.length);
    expect(modifiers).not.toContain(MODIFIER_INVALID);
    expect(uses, `${node} ${format}`).toEqual(expect.arrayContaining([...taken]));
  }
}
