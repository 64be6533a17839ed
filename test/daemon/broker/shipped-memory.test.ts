import { fileURLToPath } from 'node:url';

import { beforeAll, describe, expect, it } from 'vitest';

import type { Entry, Explanation } from '../../../daemon/broker/broker-types.js';
import type { HeapFacts, Inventory, ReachFact } from '../../../daemon/devices/inventory.js';
import { loadPolicy } from '../../../daemon/policy/load.js';
import type { Policy } from '../../../daemon/policy/policy.js';
import { simulate } from '../../../daemon/sizing/simulate.js';
import { PROFILES } from '../../tools/profiles/index.js';
import { entry, makeRig, OWNER } from './rig.js';

/** Which memory the shipped policy gives to whom, on machines of public reports. */
let policy: Policy;
beforeAll(async () => {
  policy = await loadPolicy({
    root: '/nonexistent',
    shipped: fileURLToPath(new URL('../../../policy', import.meta.url)),
  });
});

function machineOf(name: string): Inventory {
  const profile = PROFILES[name];
  if (profile === undefined) throw new Error(`no profile ${name}`);
  return profile.inventory;
}

/** What is explained of an XR24 picture, or of another format, and the class of the pool that it comes from. */
async function explained(
  inventory: Inventory,
  entries: readonly Entry[],
  content: { readonly format?: string; readonly width?: number; readonly height?: number } = {},
): Promise<Explanation & { readonly class: string | undefined }> {
  const { broker, setPolicy } = makeRig({ inventory });
  setPolicy(policy);
  await broker.reload();
  const explanation = await broker.explain(OWNER, {
    entries,
    content: { format: 'XR24', width: 1280, height: 720, ...content },
  });
  const pool = broker.pools().find(({ handle }) => handle === explanation.layout?.pool);
  broker.close();
  return { ...explanation, class: pool?.class };
}

/**
 * amdgpu: an import has no AMDGPU_GEM_CREATE_CPU_GTT_USWC, without which amdgpu_display_supported_domains leaves VRAM
 * alone, and amdgpu_display_user_framebuffer_create then refuses it (drivers/gpu/drm/amd/amdgpu/amdgpu_display.c).
 */
describe.each(['steam-deck', 'two-amd-gpus', 'amd-desktop'])('what a display shows on %s', (name) => {
  const inventory = machineOf(name);
  const device = '/dev/dri/card0';
  const shown = entry(device, { uses: ['scanout'] });

  it('is its own memory', async () => {
    expect(await explained(inventory, [shown])).toMatchObject({ feasible: true, class: 'device' });
  });

  it('is its own memory too when it is rendered before', async () => {
    const rendered = entry(device, { uses: ['scanout', 'render'] });
    expect((await explained(inventory, [rendered])).class).toBe('device');
  });

  it('is ordinary memory once a probe showed it', async () => {
    const shows: ReachFact = { device, heap: 'dma-heap:system', reachable: true, source: 'trial:ADDFB2' };
    const imports: ReachFact = { ...shows, source: 'trial:PRIME_FD_TO_HANDLE' };
    expect((await explained({ ...inventory, reach: [shows] }, [shown])).class).toBe('scattered');
    expect((await explained({ ...inventory, reach: [imports] }, [shown])).class).toBe('device');
  });

  it('need not be so for what it only renders', async () => {
    const rendered = entry(device, { uses: ['render', 'texture'] });
    expect((await explained(inventory, [rendered])).class).toBe('scattered');
  });

  it('is what its pictures are counted in', () => {
    const { fits } = simulate(inventory, policy);
    const displays = fits.filter(({ requirement }) => requirement.kind === 'display');
    expect(displays.length).toBeGreaterThan(0);
    for (const { groups } of displays) expect(groups.map((group) => group.class)).toEqual(['device']);
  });
});

it('two cards of one machine do not show what the other made', async () => {
  const both = ['/dev/dri/card0', '/dev/dri/card1'].map((node) => entry(node, { uses: ['scanout'] }));
  const answer = await explained(machineOf('two-amd-gpus'), both);
  expect(answer.feasible).toBe(false);
  expect(new Set(answer.conflicts.map(({ kind }) => kind))).toEqual(new Set(['reach']));
});

const onlyHeaps = (inventory: Inventory, keep: (heap: HeapFacts) => boolean): Inventory => ({
  ...inventory,
  heaps: inventory.heaps.filter(keep),
});

describe('protected video on a board without an IOMMU', () => {
  const board = machineOf('imx8m-board');
  const decoded = [entry('/dev/video1', { uses: ['decode'], limits: { protected: true } })];
  const answer = (heap: Partial<HeapFacts>) =>
    explained(
      {
        ...board,
        heaps: [
          ...board.heaps,
          {
            id: `dma-heap:${heap.name ?? ''}`,
            kind: 'dma-heap',
            name: 'vendor',
            class: { value: 'scattered', source: 'kernel:test' },
            cpuAccess: 'cached',
            usable: true,
            ...heap,
          },
        ],
      },
      decoded,
      { format: 'NV12' },
    );
  const region = 'kernel:/sys/firmware/devicetree/base/reserved-memory/secure';

  it.each<[string, Partial<HeapFacts>]>([
    // linux-imx: &{/reserved-memory/} secure_region: compatible "imx-secure-ion-pool", reg <0 0xA0000000 0 0x1EF00000>
    [
      'of a region that was set aside',
      { name: 'secure-vpu', class: { value: 'contiguous', source: region } },
    ],
    ['of NXP', { name: 'secure' }],
    // drivers/tee/tee_heap.c, heap_id_2_name and protmem_pool_op_static_alloc: sg_alloc_table(sgt, 1, …)
    ['of OP-TEE', { name: 'protected,secure-video' }],
    ['of MediaTek', { name: 'restricted_mtk_cma' }],
    [
      'of a known size',
      { class: { value: 'protected', source: region }, capacity: { value: 1n << 28n, source: region } },
    ],
    [
      'that a profile calls so',
      { class: { value: 'protected', source: region }, contiguous: { value: true, source: region } },
    ],
  ])('has memory %s', async (_, heap) => {
    expect(await answer(heap)).toMatchObject({ feasible: true, class: 'protected' });
  });

  it('has none that may be scattered', async () => {
    // mtk_svp_page gives single pages to the secure world (mtk_sec_heap.c of vendor kernels).
    const { feasible, conflicts } = await answer({ name: 'mtk_svp_page-uncached' });
    expect(feasible).toBe(false);
    expect(new Set(conflicts.map(({ kind }) => kind))).toEqual(new Set(['contiguous', 'protected']));
  });
});

describe('a board whose only memory is what its display allocates', () => {
  const without = (name: string) => onlyHeaps(machineOf(name), ({ kind }) => kind === 'drm-dumb');

  // drm_gem_dma_dumb_create: dma_alloc_wc of memory in one piece, which is CMA.
  it.each([
    ['imx8m-board', '/dev/dri/card1'],
    ['pinephone', '/dev/dri/card0'],
    ['raspberry-pi-4', '/dev/dri/card1'],
  ])('can show it: %s', async (name, card) => {
    expect(await explained(without(name), [entry(card, { uses: ['scanout'] })])).toMatchObject({
      feasible: true,
      class: 'device',
    });
  });

  it('can fill it with a camera, and count it in what there is', async () => {
    const board = without('imx8m-board');
    const both = [
      entry('/dev/dri/card1', { uses: ['scanout'] }),
      entry('/dev/video1', { uses: ['decode'] }),
      entry('cpu', { uses: ['read'] }),
    ];
    expect(
      (await explained(board, both, { format: 'XR24' })).conflicts.map(({ kind }) => kind),
    ).not.toContain('contiguous');
    expect(simulate(board, policy).fits.map(({ groups }) => groups.map((group) => group.class))).toEqual([
      ['device'],
      ['device'],
    ]);
  });

  it('prefers the CMA heap where there is one', async () => {
    const board = machineOf('imx8m-board');
    const shown = entry('/dev/dri/card1', { uses: ['scanout'] });
    expect((await explained(board, [shown])).class).toBe('contiguous');
    const [display] = simulate(board, policy).fits;
    expect(display?.groups.map((group) => group.class)).toEqual(['contiguous']);
  });

  it('is not taken to be in one piece behind an IOMMU, nor on a card', async () => {
    const contiguous = (card: string) => [
      entry(card, { uses: ['scanout'] }),
      entry('cpu', { limits: { contiguous: true } }),
    ];
    for (const [name, card] of [
      ['rk3588-board', '/dev/dri/card0'],
      ['steam-deck', '/dev/dri/card0'],
    ] as const)
      expect((await explained(without(name), contiguous(card))).feasible).toBe(false);
  });
});

describe('an RGA on a board with 16 GiB', () => {
  const board = machineOf('rk3588-board');
  const rga = [entry('/dev/video0', { uses: ['output'] })];

  // rga-buf.c: a page table whose entries have 32 bits.
  it('is given memory below 4 GiB', async () => {
    expect((await explained(board, rga)).class).toBe('contiguous');
    const asked = [entry('/dev/video0', { uses: ['output'], limits: { 'address-bits': 32 } })];
    expect((await explained(board, asked)).class).toBe('contiguous');
  });

  it('is given the default CMA area wherever the kernel puts it below what 32 bits reach', async () => {
    const on = (more: Partial<Inventory['machine']>, name = 'reserved') =>
      explained(
        {
          ...board,
          machine: { ...board.machine, ...more },
          heaps: board.heaps.map((heap) =>
            heap.class.value === 'contiguous' ? { ...heap, name, id: `dma-heap:${name}` } : heap,
          ),
        },
        rga,
      );
    // arch/arm64/mm/init.c: dma_contiguous_reserve(arm64_dma_phys_limit); arch/riscv/mm/init.c: dma32_phys_limit.
    expect((await on({ architecture: 'aarch64' })).class).toBe('contiguous');
    expect((await on({ architecture: 'riscv64' })).class).toBe('contiguous');
    // arch/x86/kernel/setup.c: dma_contiguous_reserve(max_pfn_mapped << PAGE_SHIFT), and cma.c begins at 4 GiB.
    expect((await on({ architecture: 'x86_64' })).feasible).toBe(false);
    const cmaTop = { value: 0x4_0000_0000n, source: 'kernel:/proc/zoneinfo' };
    expect((await on({ cmaTop })).feasible).toBe(false);
    expect((await on({}, 'linux,cma')).feasible).toBe(false);
  });

  it('is given none where all memory may lie above', async () => {
    const scattered = onlyHeaps(board, (heap) => heap.class.value === 'scattered');
    const { conflicts } = await explained(scattered, rga);
    expect(new Set(conflicts.map(({ kind }) => kind))).toEqual(new Set(['address-bits']));
    // A vendor's heap of its own zone (system-dma32) is one, as its name says.
    const [system] = scattered.heaps;
    if (system === undefined) throw new Error('no heap');
    const low = { ...system, id: 'dma-heap:system-dma32', name: 'system-dma32' };
    expect((await explained({ ...scattered, heaps: [...scattered.heaps, low] }, rga)).class).toBe(
      'scattered',
    );
  });
});
