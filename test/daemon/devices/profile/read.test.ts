import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { inventoryFromProfile, ProfileError } from '../../../../daemon/devices/profile/read.js';
import { naming } from '../../../harness/naming.js';

type Json = Record<string, unknown>;

const fact = (value: unknown): Json => ({ value, source: 'kernel:x' });
const format: Json = {
  formats: ['XR24'],
  modifiers: ['0x0'],
  uses: ['scanout'],
  source: 'kernel:IN_FORMATS',
};
const gpu: Json = {
  node: '/dev/dri/card0',
  number: '226:0',
  subsystem: 'drm',
  driver: 'gpu',
  name: 'GPU',
  uses: ['scanout'],
  iommu: fact('none'),
};
const heap: Json = {
  id: 'dma-heap:system',
  kind: 'dma-heap',
  name: 'system',
  node: '/dev/dma_heap/system',
  class: fact('scattered'),
  cpuAccess: 'cached',
};
const document = (parts: Json = {}): Json => ({
  version: 1,
  provenance: { kind: 'constructed', from: ['a test'] },
  machine: { name: 'm', architecture: 'a', kernel: 'k', ram: fact('1024'), ramTop: fact('0x400') },
  devices: [gpu],
  heaps: [heap],
  ...parts,
});
const load = (parts?: Json) => inventoryFromProfile(JSON.stringify(document(parts)), 'p.json');
const nodes = (parts: Json) => load(parts).inventory.devices.map(({ node }) => node);

const errorOf = (text: string): ProfileError => {
  try {
    inventoryFromProfile(text, 'p.json');
  } catch (error) {
    if (error instanceof ProfileError) return error;
    throw error;
  }
  throw new Error('it was accepted');
};

describe('inventoryFromProfile', () => {
  it('loads a document that is as it should be, and adds cpu and plain memory', () => {
    const { inventory, warnings } = load();
    expect(warnings).toEqual([]);
    expect(inventory.devices.map(({ node }) => node)).toEqual(['cpu', '/dev/dri/card0']);
    expect(inventory.heaps.map(({ id, usable }) => [id, usable])).toEqual([
      ['dma-heap:system', true],
      ['memfd', true],
    ]);
    expect(inventory.machine.ramTop.value).toBe(1024n);
  });

  it.each<[string, string, string, readonly (string | number)[]]>([
    ['text that is not JSON', '{', 'NotJson', ['p.json']],
    ['an empty file', '', 'NotJson', ['p.json']],
    ['a list', '[]', 'NotJson', ['p.json']],
    ['null', 'null', 'NotJson', ['p.json']],
    ['no version', '{}', 'WrongVersion', ['p.json', '$.version', 1]],
    ['a later version', JSON.stringify(document({ version: 2 })), 'WrongVersion', ['p.json', '$.version', 1]],
    ['no machine', '{"version":1}', 'NoMachine', ['p.json: $.machine:']],
    [
      'RAM of more than 64 bits',
      JSON.stringify(
        document({ machine: { ...(document()['machine'] as Json), ram: fact('99999999999999999999') } }),
      ),
      'NoMachine',
      ['p.json: $.machine.ram.value:', 64],
    ],
  ])('refuses %s', (_, text, code, values) => {
    expect(errorOf(text)).toMatchObject({
      code,
      message: expect.stringMatching(naming(...values)) as string,
    });
  });

  it.each<[string, Json, path: string, named?: string]>([
    ['a device that is none', { devices: [7, gpu] }, '$.devices[0]: '],
    ['a device without a node', { devices: [{ ...gpu, node: undefined }] }, '$.devices[0]: '],
    ['a node that is none', { devices: [{ ...gpu, node: 'card0' }, gpu] }, '$.devices[0].node: '],
    [
      'a mask that is no number',
      { devices: [{ ...gpu, dmaMaskBits: fact('banana') }] },
      '$.devices[0].dmaMaskBits.value: ',
    ],
    ['an unknown use', { devices: [{ ...gpu, uses: ['juggle'] }] }, '$.devices[0].uses[0]: '],
    ['the same device twice', { devices: [gpu, gpu] }, '$.devices[1]: ', '/dev/dri/card0'],
    [
      "another device's number",
      { devices: [gpu, { ...gpu, node: '/dev/dri/card1' }] },
      '$.devices[1]: ',
      '226:0',
    ],
    ['devices that are no list', { devices: 'all' }, '$.devices: '],
    ['a fact without a source', { devices: [{ ...gpu, iommu: { value: 'none' } }] }, '$.devices[0].iommu: '],
    [
      'a heap of an unknown class',
      { heaps: [{ ...heap, class: fact('sticky') }, heap] },
      '$.heaps[0].class.value: ',
    ],
    ['the same heap twice', { heaps: [heap, heap] }, '$.heaps[1]: ', 'dma-heap:system'],
    ['a memfd of its own', { heaps: [heap, { ...heap, id: 'memfd' }] }, '$.heaps[1]: ', 'memfd'],
    ['provenance that is none', { provenance: {} }, '$.provenance'],
    [
      'a reach of a heap that is not there',
      { reach: [{ device: '/dev/dri/card0', heap: 'gone', reachable: true, source: 'trial:x' }] },
      '$.reach[0]: ',
      'gone',
    ],
    ['an unknown key', { surprise: 1 }, '$.surprise: '],
    ['an unknown key of a device', { devices: [{ ...gpu, surprise: 1 }] }, '$.devices[0].surprise: '],
    ['an unknown key with dots in its name', { devices: [{ ...gpu, 'a.b': 1 }] }, '$.devices[0]["a.b"]: '],
  ])('warns of %s and works with the rest', (_, parts, path, named = '') => {
    const { inventory, warnings } = load(parts);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain(`p.json: ${path}`);
    expect(warnings[0]?.slice(`p.json: ${path}`.length)).toContain(named);
    expect(inventory.warnings).toEqual(warnings);
    expect(inventory.devices[0]?.node).toBe('cpu');
    expect(inventory.heaps.at(-1)?.id).toBe('memfd');
  });

  it('keeps a device with an unknown key, and one next to a malformed one', () => {
    expect(nodes({ devices: [{ ...gpu, surprise: 1 }] })).toEqual(['cpu', '/dev/dri/card0']);
    expect(nodes({ devices: [{}, gpu] })).toEqual(['cpu', '/dev/dri/card0']);
  });

  it('does not let many unknown keys hide what is wrong', () => {
    const junk = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`junk${i}`, i]));
    const { inventory, warnings } = load({ devices: [{ ...gpu, ...junk, driver: 7 }] });
    expect(inventory.devices).toHaveLength(1);
    expect(warnings).toHaveLength(51);
    expect(warnings.at(-1)).toContain('$.devices[0].driver: ');
  });

  it.each<[string, unknown, string]>([
    ['formats', { ...format, formats: ['XR2'] }, '.formats[0].formats[0]: '],
    ['formats', { ...format, modifiers: ['linear'] }, '.formats[0].modifiers[0]: '],
    ['formats', { ...format, modifiers: ['0x0', '0xffffffffffffff'] }, '.formats[0].modifiers[1]: '],
    ['formats', { ...format, modifiers: ['0x00ffffffffffffff'] }, '.formats[0].modifiers[0]: '],
    ['otherFormats', { name: 7, uses: [], source: 'x' }, '.otherFormats[0].name: '],
    ['limits', { limit: 'pitch-multiple', value: 0, source: 'x' }, '.limits[0].value: '],
    ['limits', { limit: 'pitch-multiple', value: '64', source: 'x' }, '.limits[0].value: '],
    ['limits', { limit: 'address-bits', value: 65, source: 'x' }, '.limits[0].value: '],
    ['limits', { limit: 'size-multiple', value: 4096, source: 'x' }, '.limits[0].value: '],
    ['limits', { limit: 'contiguous', value: 1, source: 'x' }, '.limits[0].value: '],
    ['limits', { limit: 'colour', value: 1, source: 'x' }, '.limits[0].limit: '],
    ['limits', 'pitch-multiple', '.limits[0]: '],
    ['modes', { connector: 'DP-1', width: 0, height: 1, refresh: 60 }, '.modes[0].width: '],
  ])(
    'warns of a malformed element of %s (%j) and keeps the device with the others',
    (list, element, path) => {
      const good = {
        formats: format,
        otherFormats: { name: 'RG10', uses: [], source: 'x' },
        limits: { limit: 'pitch-min', value: 1, source: 'x' },
        modes: { connector: 'DP-1', width: 1, height: 1, refresh: 60 },
      };
      const { inventory, warnings } = load({
        devices: [{ ...gpu, [list]: [element, good[list as keyof typeof good]] }],
      });
      expect(warnings).toHaveLength(1);
      expect(warnings[0]).toContain(`p.json: $.devices[0]${path}`);
      expect(inventory.devices[1]?.[list as keyof typeof good]).toHaveLength(1);
    },
  );

  it('survives a real profile in which any one value was put wrong', () => {
    const url = new URL('../../../fixtures/profiles/raspberry-pi-4.json', import.meta.url);
    const profile = readFileSync(url, 'utf8');
    const places = placesOf(JSON.parse(profile));
    const junk = fc.oneof(
      fc.jsonValue(),
      fc.constantFrom('0xfffffffffffffffff', -1, 1e300, '', 'cpu', '__proto__'),
    );
    fc.assert(
      fc.property(fc.nat({ max: places.length - 1 }), junk, (place, value) => {
        const changed: unknown = JSON.parse(profile);
        put(changed, places[place] ?? [], value);
        const text = JSON.stringify(changed);
        try {
          const { inventory, warnings } = inventoryFromProfile(text, 'p.json');
          expect(inventory.devices[0]?.node).toBe('cpu');
          for (const warning of warnings) expect(warning).toMatch(/^p\.json: \$/);
        } catch (error) {
          expect(error).toBeInstanceOf(ProfileError);
        }
      }),
    );
  });
});

/** Paths of everything in a JSON value, down to its leaves. */
function placesOf(value: unknown, path: readonly string[] = []): readonly (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  return [
    ...(path.length > 0 ? [path] : []),
    ...Object.entries(value).flatMap(([key, item]) => placesOf(item, [...path, key])),
  ];
}

function put(value: unknown, [key, ...rest]: readonly string[], replacement: unknown): void {
  if (typeof value !== 'object' || value === null || key === undefined) return;
  if (rest.length === 0) (value as Json)[key] = replacement;
  else put((value as Json)[key], rest, replacement);
}
