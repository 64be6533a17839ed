import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { parseDevice } from '../../../client/cli/device-argument.js';
import type { BufferRequest } from '../../../client/request.js';
import { encodeRequest } from '../../../client/wire/encode.js';
import type { Explanation } from '../../../daemon/broker/broker-types.js';
import { readExplain } from '../../../daemon/bus/request.js';
import { CPU_DEVICE, type Device, type Inventory } from '../../../daemon/devices/inventory.js';
import { inventoryFromProfile } from '../../../daemon/devices/profile/read.js';
import { loadPolicy } from '../../../daemon/policy/load.js';
import { makeRig, OWNER } from '../broker/rig.js';
import { CMA, machine, SYSTEM } from '../machine.js';

const SHIPPED = fileURLToPath(new URL('../../../policy', import.meta.url));
const PROFILES = new URL('../../fixtures/profiles/', import.meta.url);

/** A machine of these devices alone, with scattered and contiguous memory. */
export const machineOf = (...devices: readonly Device[]): Inventory =>
  machine([SYSTEM, CMA], [CPU_DEVICE, ...devices]);

/** What `dmabrokerctl explain` says under the shipped policy. @param on a shipped profile, or a machine */
export async function explainOn(
  on: string | Inventory,
  devices: readonly string[],
  buffer: BufferRequest,
): Promise<Explanation> {
  const inventory =
    typeof on === 'string'
      ? inventoryFromProfile(readFileSync(new URL(`${on}.json`, PROFILES), 'utf8'), on).inventory
      : on;
  const policy = await loadPolicy({ root: '/nonexistent', shipped: SHIPPED });
  const { broker } = makeRig({ inventory, policy });
  try {
    const { body } = encodeRequest(devices.map(parseDevice), buffer);
    return await broker.explain(OWNER, readExplain(body));
  } finally {
    broker.close();
  }
}

/** Pitches of the planes, bytes; undefined of a conflict. */
export async function pitchesOn(
  ...asked: Parameters<typeof explainOn>
): Promise<readonly number[] | undefined> {
  const { layout } = await explainOn(...asked);
  return layout?.image?.planes.map(({ pitch }) => pitch);
}

/** What clashes, each as `DEVICE kind`; none of what can be had. */
export async function conflictOn(...asked: Parameters<typeof explainOn>): Promise<readonly string[]> {
  const { conflicts } = await explainOn(...asked);
  return conflicts.map(({ kind, origin }) => `${origin.device} ${kind}`);
}
