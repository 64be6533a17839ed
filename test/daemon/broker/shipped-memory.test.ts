import { fileURLToPath } from 'node:url';

import { beforeAll, describe, expect, it } from 'vitest';

import type { Entry, Explanation } from '../../../daemon/broker/broker-types.js';
import type { Inventory, ReachFact } from '../../../daemon/devices/inventory.js';
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
