import { writeFile } from 'node:fs/promises';

import { readThisMachine } from '../policy/offline.js';
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
    const inventory = await readThisMachine('');
    const { recordProfile } = await import('../../../daemon/devices/profile/record.js');
    const profile = recordProfile(inventory, new Date());
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
