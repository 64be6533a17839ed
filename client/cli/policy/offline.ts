import { basename } from 'node:path';

import type { Inventory } from '../../../daemon/devices/inventory.js';
import type { Policy } from '../../../daemon/policy/policy.js';
import type { Arguments, Option } from '../arguments.js';
import { readText } from '../read-text.js';
import { UsageError } from '../usage.js';
import type { Context } from '../verb.js';

/**
 * What the daemon would make of a machine, without the daemon. Its rooms are loaded here and only when a verb asks, because
 * loading takes its time and most verbs need none of them.
 */

export const ROOT: Option = {
  name: 'root',
  value: 'DIR',
  text: 'put before every path that is read: an image, or another system',
};
export const POLICY: Option = {
  name: 'policy',
  value: 'DIR',
  text: 'read policy from this directory alone (dmabroker.conf and dmabroker.conf.d)',
};

/** A machine under the name that a person knows it by. */
export interface NamedMachine {
  readonly name: string;
  readonly inventory: Inventory;
}

export async function readPolicy({ shipped }: Pick<Context, 'shipped'>, args: Arguments): Promise<Policy> {
  const { loadPolicy, loadPolicyIn } = await import('../../../daemon/policy/load.js');
  const directory = args.text(POLICY.name);
  return directory === undefined
    ? loadPolicy({ root: args.text(ROOT.name) ?? '', shipped })
    : loadPolicyIn(directory);
}

/** The machines of these profiles or, of none, this one. @throws {UsageError} a profile that cannot be read */
export async function readMachines(
  files: readonly string[],
  args: Arguments,
): Promise<readonly NamedMachine[]> {
  const machines =
    files.length > 0
      ? await Promise.all(files.map(readProfile))
      : [await readThisMachine(args.text(ROOT.name) ?? '')].map((inventory) => ({
          name: inventory.machine.name,
          inventory,
        }));
  return machines.map(({ name, inventory }) => ({ name, inventory: withHeapsOfOthers(inventory) }));
}

/** What the kernel says of this machine. @param root put before every path that is read */
export async function readThisMachine(root: string): Promise<Inventory> {
  const { readInventory } = await import('../../../daemon/devices/read-inventory.js');
  const { createKernel } = await import('../../../daemon/kernel/create.js');
  const { sizeOfRam } = await import('../../../daemon/service/ram.js');
  return readInventory({ root, kernel: createKernel(), ram: sizeOfRam });
}

/** A machine of which a profile tells, and what is behind the profile, for a person. */
interface ProfiledMachine extends NamedMachine {
  readonly provenance: string;
}

/** @throws {UsageError} a profile that cannot be read */
export async function readProfile(file: string): Promise<ProfiledMachine> {
  const { inventoryFromProfile } = await import('../../../daemon/devices/profile/read.js');
  const { provenanceText } = await import('../../../daemon/devices/provenance.js');
  const text = await readText(file);
  try {
    const { inventory, provenance } = inventoryFromProfile(text, file);
    return { name: basename(file, '.json'), inventory, provenance: provenanceText(provenance) };
  } catch (cause) {
    throw new UsageError(cause instanceof Error ? cause.message : `${file} cannot be used`, { cause });
  }
}

/** A heap that the caller may not open may still be open to the daemon. */
const withHeapsOfOthers = (inventory: Inventory): Inventory => ({
  ...inventory,
  heaps: inventory.heaps.map(({ unusable, ...heap }) =>
    unusable === 'EACCES' || unusable === 'EPERM'
      ? { ...heap, usable: true }
      : { ...heap, ...(unusable !== undefined && { unusable }) },
  ),
});
