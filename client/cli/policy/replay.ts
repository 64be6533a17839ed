import type { Inventory } from '../../../daemon/devices/inventory.js';
import type { Arguments, Option } from '../arguments.js';
import type { Context } from '../verb.js';
import type { OfflineBroker } from './offline-broker.js';
import { readPolicy, readProfile } from './offline.js';

export const PROFILE: Option = {
  name: 'profile',
  value: 'FILE',
  text: 'answer for the machine of this profile, without a broker',
};

/** The machine of a profile, with a broker that answers for it. */
export interface Replayed extends Disposable {
  readonly broker: OfflineBroker;
  readonly inventory: Inventory;
  /** What is behind the profile, for a person. */
  readonly provenance: string;
}

/** @throws {UsageError} a profile that cannot be read */
export async function replay(file: string, context: Context, args: Arguments): Promise<Replayed> {
  const { OfflineBroker } = await import('./offline-broker.js');
  const { createKernel } = await import('../../../daemon/kernel/create.js');
  const { profileHeap } = await import('../../../daemon/heaps/open.js');
  const policy = await readPolicy(context, args);
  for (const warning of policy.warnings) context.warn(warning);
  const { inventory, provenance } = await readProfile(file);
  const kernel = createKernel();
  const heaps = inventory.heaps.map((heap) => profileHeap(heap, { kernel, pageSize: PAGE_BYTES }));
  const broker = new OfflineBroker({ machine: { inventory, heaps, warnings: [] }, policy, kernel });
  return {
    broker,
    inventory,
    provenance,
    [Symbol.dispose]: () => {
      broker[Symbol.dispose]();
    },
  };
}

/** Nothing is allocated, so that no size is rounded up to it. */
const PAGE_BYTES = 4096n;
