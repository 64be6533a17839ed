import type { Inventory } from '../../../daemon/devices/inventory.js';
import { EXIT } from '../usage.js';
import type { Verb } from '../verb.js';
import { writeTo } from '../output.js';

export const record: Verb = {
  name: 'record',
  summary: "Write this machine's hardware profile, as dmabrokerd --profile reads it",
  operands: '[FILE]',
  notes: [
    'The profile holds what the kernel says of devices and heaps, and which heaps the devices were seen to take: no ' +
      'policy, no serial numbers. It needs no broker. Run it as a user that may open the nodes in /dev; what cannot ' +
      'be read is listed, in the profile as well. DRM devices are given small buffers to try, V4L2 devices where ' +
      'policy allows it.',
  ],
  async run({ out, warn, shipped }, { operands: [file] }) {
    const { inventory, profile } = await readMachine(warn, shipped);
    for (const warning of inventory.warnings) warn(warning);
    if (file === undefined) out.document(profile);
    else await writeTo(file, profile);
    return EXIT.done;
  },
};

/** The daemon's rooms are loaded here, because no other verb needs them and loading takes its time. */
async function readMachine(
  warn: (text: string) => void,
  shipped: string,
): Promise<{ readonly inventory: Inventory; readonly profile: string }> {
  const { openHardware } = await import('../../../daemon/service/hardware.js');
  const { recordProfile } = await import('../../../daemon/devices/profile/write.js');
  const { createKernel } = await import('../../../daemon/kernel/create.js');
  const { loadPolicy } = await import('../../../daemon/policy/load.js');
  const { inventory, heaps } = await openHardware({
    kernel: createKernel(),
    root: '',
    profile: undefined,
    policy: await loadPolicy({ root: '', shipped }),
    log: {
      warn: (_details, message) => {
        warn(message);
      },
    },
  });
  for (const heap of heaps) heap.close();
  return { inventory, profile: recordProfile(inventory, new Date()) };
}
