import { writeFile } from 'node:fs/promises';

import type { Inventory } from '../../../daemon/devices/inventory.js';
import { EXIT, UsageError } from '../usage.js';
import type { Verb } from '../verb.js';

export const record: Verb = {
  name: 'record',
  summary: "Write this machine's hardware profile, as dmabrokerd --profile reads it",
  operands: '[FILE]',
  notes: [
    'The profile holds what the kernel says of devices and heaps: no policy, no serial numbers. It needs no broker. ' +
      'Run it as somebody who may open the nodes in /dev; what cannot be read is listed, in the profile as well.',
  ],
  async run({ out, warn }, { operands: [file] }) {
    const { inventory, profile } = await readMachine();
    for (const warning of inventory.warnings) warn(warning);
    if (file === undefined) out.document(profile);
    else await write(file, profile);
    return EXIT.done;
  },
};

async function write(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text);
  } catch (cause) {
    throw new UsageError(cause instanceof Error ? cause.message : `${file} cannot be written`, { cause });
  }
}

/** The daemon's rooms are loaded here, because no other verb needs them and loading takes its time. */
async function readMachine(): Promise<{ readonly inventory: Inventory; readonly profile: string }> {
  const { readInventory } = await import('../../../daemon/devices/read-inventory.js');
  const { recordProfile } = await import('../../../daemon/devices/profile/record.js');
  const { createKernel } = await import('../../../daemon/kernel/create.js');
  const { mem } = await import('systeminformation');
  const ram = async (): Promise<number> => (await mem()).total;
  const inventory = await readInventory({ root: '', kernel: createKernel(), ram });
  return { inventory, profile: recordProfile(inventory, new Date()) };
}
