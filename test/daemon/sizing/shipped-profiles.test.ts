import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { beforeAll, describe, expect, it } from 'vitest';

import { inventoryFromProfile } from '../../../daemon/devices/profile/read.js';
import { loadPolicy } from '../../../daemon/policy/load.js';
import type { Policy } from '../../../daemon/policy/policy.js';
import { simulate } from '../../../daemon/sizing/simulate.js';
import type { Shortfall } from '../../../daemon/sizing/shortfalls.js';

/**
 * The shipped policy on every shipped profile, reckoned again: from the profile's JSON alone, with arithmetic of this
 * file's own. Of the code under test it takes only what is to be judged, the limits and the shortfalls.
 */

const PROFILES = new URL('../../fixtures/profiles/', import.meta.url);
const MIB = 1n << 20n;

let policy: Policy;
beforeAll(async () => {
  policy = await loadPolicy({
    root: '/nonexistent',
    shipped: fileURLToPath(new URL('../../../policy', import.meta.url)),
  });
});

interface Document {
  readonly machine: { readonly ram: { readonly value: string }; readonly commandLine?: string };
  readonly devices: readonly {
    readonly node: string;
    readonly driver: string;
    readonly iommu: { readonly value: string };
    readonly modes?: readonly (Size & { connector: string; current?: boolean; preferred?: boolean })[];
    readonly pictures?: readonly (Size & { camera: string; bits: number })[];
  }[];
  readonly heaps: readonly {
    readonly id: string;
    readonly kind: string;
    readonly class: { readonly value: string };
    readonly capacity?: { value: string };
  }[];
}
interface Size {
  readonly width: number;
  readonly height: number;
}

const NAMES = readdirSync(PROFILES).filter((name) => name.endsWith('.json'));
const textOf = (name: string): string => readFileSync(new URL(name, PROFILES), 'utf8');
const read = (name: string): Document => JSON.parse(textOf(name)) as Document;
const run = (document: Document) =>
  simulate(inventoryFromProfile(JSON.stringify(document), 'a profile').inventory, policy);

/** Drivers that take memory in one piece unless an IOMMU translates, from the kernel's sources. */
const IN_ONE_PIECE = ['vc4-drm', 'unicam', 'rp1-cfe', 'mxsfb', 'imx7-csi', 'sun4i-drm', 'sun6i-csi'];
/** Drivers that show nothing foreign, or not before a probe: their pictures lie in what they allocate themselves. */
const OWN_MEMORY = ['virtio_gpu', 'amdgpu'];

/** Bytes that three frames of every display and four of every camera take, by the class that they lie in. */
function wanted({ devices, heaps }: Document): ReadonlyMap<string, bigint> {
  const sums = new Map<string, bigint>();
  const isTranslated = (iommu: string): boolean => iommu.startsWith('DMA');
  for (const { node, driver, iommu, modes = [], pictures = [] } of devices) {
    const connectors = [...new Set(modes.map(({ connector }) => connector))];
    const displays = connectors.map((connector) => {
      const its = modes.filter((mode) => mode.connector === connector);
      const shown =
        its.find(({ current }) => current === true) ?? its.find(({ preferred }) => preferred === true);
      return 3 * 4 * (shown?.width ?? 0) * (shown?.height ?? 0);
    });
    const cameras = pictures.map(({ width, height, bits }) => 4 * Math.ceil((width * bits) / 8) * height);
    const bytes = BigInt([...displays, ...cameras].reduce((a, b) => a + b, 0));
    if (bytes === 0n) continue;
    const own =
      heaps.some(({ id }) => id === `drm-dumb:${node}`) && (OWN_MEMORY.includes(driver) || driver === 'ast');
    const memoryClass =
      IN_ONE_PIECE.includes(driver) && !isTranslated(iommu.value)
        ? 'contiguous'
        : own
          ? 'device'
          : 'scattered';
    sums.set(memoryClass, (sums.get(memoryClass) ?? 0n) + bytes);
  }
  return sums;
}

const ramOf = ({ machine }: Document): bigint => BigInt(machine.ram.value);

/** The machine with contiguous memory of another size, or with none, which leaves nothing for dumb buffers either. */
function withCma(document: Document, bytes: bigint): Document {
  const heaps = document.heaps.flatMap((heap) => {
    if (heap.kind === 'drm-dumb') return bytes === 0n ? [] : [heap];
    if (heap.class.value !== 'contiguous') return [heap];
    return bytes === 0n ? [] : [{ ...heap, capacity: { ...heap.capacity, value: String(bytes) } }];
  });
  return { ...document, heaps };
}

/** Multiples of 16 MiB of which four fifths, and no more than 7 % of RAM, are enough. */
function leastCma(asked: bigint, ram: bigint): bigint | undefined {
  if (asked > (ram * 7n) / 100n) return undefined;
  let size = 16n * MIB;
  while ((size * 4n) / 5n < asked) size += 16n * MIB;
  return size;
}

it('has every profile', () => {
  expect(NAMES.length).toBeGreaterThanOrEqual(13);
});

describe.each(NAMES)('the default policy on %s', (name) => {
  const document = read(name);
  const ram = ramOf(document);

  it('leaves three quarters of RAM outside the limits of the pools', () => {
    const { plans, handOut } = run(document);
    // Pools that draw on RAM share the limit of their class; one with memory of its own is counted for itself.
    const limits = new Map<string, bigint>();
    for (const { heap, class: memoryClass, limit } of plans) {
      limits.set(heap.capacity === undefined ? memoryClass : heap.id, limit.value);
    }
    const sum = [...limits.values()].reduce((a, b) => a + b, 0n);
    expect(sum).toBeGreaterThan(0n);
    expect(4n * sum).toBeLessThanOrEqual(ram);
    expect(handOut).toBeLessThanOrEqual(sum);
  });

  it('holds three frames of every display and four of every camera, and says that nothing lacks', () => {
    const { plans, fits, shortfalls } = run(document);
    const sums = wanted(document);
    expect(sums.size).toBeGreaterThan(0);
    for (const [memoryClass, bytes] of sums) {
      const limits = plans.filter((plan) => plan.class === memoryClass).map(({ limit }) => limit.value);
      expect(
        limits.some((limit) => limit >= bytes),
        memoryClass,
      ).toBe(true);
    }
    for (const { requirement, held } of fits)
      expect([requirement.name, held]).toEqual([requirement.name, requirement.kind === 'display' ? 3n : 4n]);
    expect(shortfalls).toEqual([]);
  });

  it('lets one user, one client and one unit hold all of them', () => {
    const all = [...wanted(document).values()].reduce((a, b) => a + b, 0n);
    const { bytes, clientBytes, unitBytes } = policy.quota(
      { uid: 1000, user: 'anna', groups: [], unit: 'app.scope' },
      { ram, frame: { width: 1920, height: 1080 } },
    );
    for (const quota of [bytes, clientBytes, unitBytes]) expect(quota.value).toBeGreaterThanOrEqual(all);
  });

  it('keeps less ready than it hands out, and less than a twentieth of RAM', () => {
    const { plans } = run(document);
    for (const { warm, limit } of plans) expect(warm.value).toBeLessThan(limit.value);
    const largest = new Map<string, bigint>();
    for (const { class: memoryClass, warm } of plans)
      if ((largest.get(memoryClass) ?? 0n) < warm.value) largest.set(memoryClass, warm.value);
    expect([...largest.values()].reduce((a, b) => a + b, 0n)).toBeLessThan(ram / 20n);
  });
});

const BOARDS = NAMES.filter((name) => wanted(read(name)).has('contiguous'));

it('has boards that live on contiguous memory', () => {
  expect(BOARDS).toEqual(
    expect.arrayContaining(['raspberry-pi-4.json', 'imx8m-board.json', 'pinephone.json']),
  );
});

describe.each(BOARDS)('%s with less contiguous memory', (name) => {
  const document = read(name);
  const asked = wanted(document).get('contiguous') ?? 0n;
  const least = leastCma(asked, ramOf(document)) ?? 0n;
  const isOfPictures = (shortfall: Shortfall): boolean =>
    shortfall.class === 'contiguous' && shortfall.asked === asked;

  it.each([0n, 8n, 16n, 32n, 64n, 96n, 128n, 192n, 256n].map((mib) => mib * MIB))(
    'says so with %d bytes if that is too little, and what mends it',
    (capacity) => {
      const lacking = run(withCma(document, capacity)).shortfalls.filter(isOfPictures);
      if ((capacity * 4n) / 5n >= asked) {
        expect(lacking).toEqual([]);
        return;
      }
      const [shortfall] = lacking;
      expect(lacking).toHaveLength(1);
      expect(shortfall?.asked).toBe(asked);
      expect(shortfall?.available).toBe((capacity * 4n) / 5n);
      expect(/`cma=(\d+)M`/.exec(shortfall?.mend ?? '')?.[1]).toBe(String(least / MIB));
      expect(shortfall?.mend).toContain(document.machine.commandLine ?? '');
      expect(shortfall?.text.endsWith(`: ${shortfall.mend ?? ''}`)).toBe(true);
    },
  );

  it('has enough with what it is advised, and not with a step less', () => {
    const said = (bytes: bigint): boolean => run(withCma(document, bytes)).shortfalls.some(isOfPictures);
    expect(least).toBeGreaterThan(0n);
    expect(said(least)).toBe(false);
    expect(said(least - 16n * MIB)).toBe(true);
  });
});
