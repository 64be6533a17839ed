import fc from 'fast-check';

import { RETENTIONS, CPU_DEVICE, MEMFD_HEAP } from '../../daemon/devices/inventory.js';

import type { Device, Fact, HeapFacts, Inventory, LimitFact } from '../../daemon/devices/inventory.js';
import { boundsOf, limitsOf, type Limit } from '../../dbus/limits.js';
import { MEMORY_CLASSES, USES } from '../../dbus/names.js';

const U64 = 2n ** 64n - 1n;

const text = fc.string({ unit: 'grapheme', maxLength: 12 });
const word = fc.string({
  unit: fc.constantFrom('a', 'Z', '0', '_', '-', ',', '@', ':', '.'),
  minLength: 1,
  maxLength: 12,
});
const source = fc.constantFrom('kernel:IN_FORMATS', 'trial:REQBUFS', 'policy:/etc/a.conf:3');
const uses = fc.uniqueArray(fc.constantFrom(...USES), { maxLength: 4 });
const fourcc = fc.string({
  unit: fc.constantFrom('X', 'R', 'A', 'Y', '2', '4', ' '),
  minLength: 4,
  maxLength: 4,
});
const big = fc.bigInt({ min: 0n, max: U64 });
const modifier = big.filter((value) => value !== 0x00ff_ffff_ffff_ffffn);
const bits = fc.integer({ min: 1, max: 64 });
const count = fc.integer({ min: 1, max: 0xffff_ffff });

const fact = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<Fact<T>> => fc.record({ value, source });

/** Keys that may be absent, as exact optional properties have it. */
const record = <T, K extends keyof T>(model: { [P in keyof T]: fc.Arbitrary<T[P]> }, requiredKeys: K[]) =>
  fc.record(model, { requiredKeys });

const limitOf = (limit: Limit, value: fc.Arbitrary<unknown>): fc.Arbitrary<LimitFact> =>
  record({ limit: fc.constant(limit), value, source, uses, formats: fc.array(fourcc, { maxLength: 3 }) }, [
    'limit',
    'value',
    'source',
  ]) as fc.Arbitrary<LimitFact>;

const limit = fc.oneof(
  ...limitsOf('u').map((kind) => limitOf(kind, fc.integer({ min: 1, max: boundsOf(kind).most }))),
  ...limitsOf('t').map((kind) => limitOf(kind, big)),
  ...limitsOf('b').map((kind) => limitOf(kind, fc.boolean())),
);

const device = (index: number): fc.Arbitrary<Device> =>
  record(
    {
      node: fc.constant(`/dev/dri/card${index}`),
      otherNodes: fc.constantFrom([], [`/dev/dri/renderD${index}`]),
      number: fc.constant(`226:${index}`),
      otherNumbers: fc.constantFrom([], [`226:${128 + index}`]),
      subsystem: fc.constantFrom('drm', 'video4linux'),
      driver: text,
      name: text,
      compatible: fc.array(text, { maxLength: 3 }),
      pci: fc.constantFrom('1002:73bf', '8086:46a6'),
      uses,
      formats: fc.array(
        fc.record({ format: fourcc, modifiers: fc.array(modifier, { maxLength: 4 }), uses, source }),
        { maxLength: 6 },
      ),
      otherFormats: fc.array(fc.record({ name: text, uses, source }), { minLength: 1, maxLength: 3 }),
      limits: fc.array(limit, { maxLength: 4 }),
      modes: fc.array(
        fc.record({
          connector: text,
          width: count,
          height: count,
          refresh: fc.integer({ min: 0, max: 1000 }),
          preferred: fc.boolean(),
          current: fc.boolean(),
        }),
        { maxLength: 3 },
      ),
      pictures: fc.array(
        fc.record({
          camera: text,
          width: count,
          height: count,
          format: text,
          bits: fc.integer({ min: 1, max: 1024 }),
          source,
        }),
        { minLength: 1, maxLength: 2 },
      ),
      dmaMaskBits: fact(bits),
      iommu: fact(text),
      memoryRegion: fact(text),
      imports: fact(fc.boolean()),
    } satisfies { [P in keyof Device]-?: fc.Arbitrary<NonNullable<Device[P]>> },
    [
      ...([
        'node',
        'otherNodes',
        'number',
        'otherNumbers',
        'subsystem',
        'driver',
        'name',
        'compatible',
      ] as const),
      ...(['uses', 'formats', 'limits', 'modes', 'iommu'] as const),
    ],
  );

const heap = (index: number): fc.Arbitrary<HeapFacts> =>
  record(
    {
      id: word.map((name) => `${name}#${index}`),
      kind: fc.constantFrom('dma-heap', 'udmabuf', 'drm-dumb'),
      name: word,
      node: word.map((name) => `/dev/${name}`),
      class: fact(fc.constantFrom(...MEMORY_CLASSES)),
      contiguous: fact(fc.boolean()),
      cpuAccess: fc.constantFrom('cached', 'uncached', 'none'),
      addressBits: fact(bits),
      capacity: fact(big),
      maxBuffer: fact(big),
      retention: fact(fc.constantFrom(...RETENTIONS)),
      usable: fc.boolean(),
      unusable: text,
    } satisfies { [P in keyof HeapFacts]-?: fc.Arbitrary<NonNullable<HeapFacts[P]>> },
    ['id', 'kind', 'name', 'node', 'class', 'cpuAccess', 'usable'],
  );

/** Any inventory that a machine could have, with `cpu` first and plain memory last. */
export const arbitraryInventory: fc.Arbitrary<Inventory> = fc
  .record({
    machine: record(
      {
        name: text,
        architecture: text,
        kernel: text,
        compatible: fc.array(text, { maxLength: 2 }),
        ram: fact(big),
        ramTop: fact(big),
        cmaTop: fact(big),
        commandLine: fc.constantFrom('/boot/firmware/cmdline.txt', '/etc/default/grub'),
      },
      ['name', 'architecture', 'kernel', 'compatible', 'ram', 'ramTop'],
    ),
    devices: fc.nat({ max: 3 }).chain((n) => fc.tuple(...Array.from({ length: n }, (_, i) => device(i)))),
    heaps: fc.nat({ max: 3 }).chain((n) => fc.tuple(...Array.from({ length: n }, (_, i) => heap(i)))),
    warnings: fc.array(text, { maxLength: 2 }),
  })
  .chain(({ devices, heaps, ...rest }): fc.Arbitrary<Inventory> => {
    const own = { ...rest, devices: [CPU_DEVICE, ...devices], heaps: [...heaps, MEMFD_HEAP] };
    if (devices.length === 0 || heaps.length === 0) return fc.constant({ ...own, reach: [] });
    const reach = fc.array(
      record(
        {
          device: fc.constantFrom(...devices.map(({ node }) => node)),
          heap: fc.constantFrom(...heaps.map(({ id }) => id)),
          reachable: fc.boolean(),
          source,
          uses,
        },
        ['device', 'heap', 'reachable', 'source'],
      ),
      { maxLength: 3 },
    );
    return reach.map((facts) => ({ ...own, reach: facts }));
  });
