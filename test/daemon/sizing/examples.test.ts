import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { Inventory } from '../../../daemon/devices/inventory.js';
import { loadPolicy } from '../../../daemon/policy/load.js';
import type { Policy } from '../../../daemon/policy/policy.js';
import { simulate } from '../../../daemon/sizing/simulate.js';
import { PROFILES } from '../../tools/profiles/index.js';

const SHIPPED = fileURLToPath(new URL('../../../policy', import.meta.url));
const EXAMPLES = join(SHIPPED, 'examples');
const MACHINES = Object.entries(PROFILES).map(([name, { inventory }]) => ({ name, inventory }));

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'dmabroker-examples-'));
});
afterAll(() => {
  rmSync(root, { recursive: true });
});

/** The shipped policy with one of the examples linked in, as its first comment says. */
async function policyWith(example: string): Promise<Policy> {
  const own = join(root, example);
  mkdirSync(join(own, 'usr/lib/dmabroker/dmabroker.conf.d'), { recursive: true });
  cpSync(join(EXAMPLES, example), join(own, 'usr/lib/dmabroker/dmabroker.conf.d', example));
  return loadPolicy({ root: own, shipped: SHIPPED });
}

const share = (inventory: Inventory, policy: Policy): number =>
  Number((simulate(inventory, policy).handOut * 1000n) / inventory.machine.ram.value) / 10;
const isBoard = ({ inventory }: (typeof MACHINES)[number]): boolean =>
  inventory.heaps.some((heap) => heap.class.value === 'contiguous');
const hasDisplay = ({ inventory }: (typeof MACHINES)[number]): boolean =>
  inventory.devices.some(({ modes }) => modes.length > 0);

it('the shipped policy uses none of the examples', async () => {
  const { files } = await loadPolicy({ root, shipped: SHIPPED });
  expect(files.filter((name) => name.includes('example'))).toEqual([]);
});

describe.each(readdirSync(EXAMPLES))('the example %s', (example) => {
  it('is good policy, and says what it is for', async () => {
    const { warnings, files } = await policyWith(example);
    expect(warnings).toEqual([]);
    expect(files).toContain(`/usr/lib/dmabroker/dmabroker.conf.d/${example}`);
  });

  it.each(MACHINES)('leaves two thirds of RAM on $name', async ({ inventory }) => {
    expect(share(inventory, await policyWith(example))).toBeLessThan(100 / 3);
  });
});

describe('20-embedded.conf', () => {
  it.each(MACHINES.filter(isBoard))(
    'has more for $name in contiguous memory, and lacks nothing',
    async ({ inventory }) => {
      const policy = await policyWith('20-embedded.conf');
      const groups = (of: Policy) =>
        simulate(inventory, of).groups.find((group) => group.class === 'contiguous');
      const before = groups(await loadPolicy({ root, shipped: SHIPPED }));
      expect(groups(policy)?.bytes).toBeGreaterThanOrEqual(before?.bytes ?? 0n);
      expect(simulate(inventory, policy).shortfalls).toEqual([]);
    },
  );
});

describe('20-kiosk.conf', () => {
  it.each(MACHINES.filter(hasDisplay))(
    'has four frames of every display of $name ready for good',
    async ({ inventory }) => {
      const policy = await policyWith('20-kiosk.conf');
      const { plans, fits, shortfalls } = simulate(inventory, policy);
      expect(shortfalls).toEqual([]);
      for (const { requirement, held } of fits) if (requirement.kind === 'display') expect(held).toBe(4n);
      const scattered = plans.find((plan) => plan.class === 'scattered');
      expect(scattered?.idle.value).toBe(Infinity);
      expect(scattered?.access.value).toEqual([{ kind: 'active-session' }, { kind: 'group', name: 'video' }]);
    },
  );
});

describe('20-server.conf', () => {
  const machine = { ram: 2n ** 41n, frame: { width: 1920, height: 1080 } };

  it('gives a share to everybody, and more to a job for others', async () => {
    const policy = await policyWith('20-server.conf');
    const anna = { uid: 1000, groups: ['render'] };
    const share = (unit: string): bigint => policy.quota({ ...anna, unit }, machine).clientBytes.value;
    expect(share('session-2.scope') * 50n).toBeLessThanOrEqual(machine.ram);
    expect(share('transcode@7.service')).toBe(machine.ram / 10n);
  });

  it('asks for no pictures of a display', async () => {
    const { display, camera } = (await policyWith('20-server.conf')).frames();
    expect([display.value, camera.value]).toEqual([0, 0]);
  });
});
