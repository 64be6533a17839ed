import { basename } from 'node:path';

import type { Inventory } from '../../../daemon/devices/inventory.js';
import { writeTo } from '../output.js';
import { readText } from '../read-text.js';
import { EXIT, UsageError } from '../usage.js';
import type { Verb } from '../verb.js';

export const record: Verb = {
  name: 'record',
  summary: "Write this machine's hardware profile, as dmabrokerd --profile reads it",
  operands: '[FILE…]',
  options: [
    {
      name: 'from',
      value: 'FILE',
      repeats: true,
      text: 'make it of what other tools printed; all FILEs are such',
    },
  ],
  notes: [
    'The profile holds what the kernel says of devices and heaps, and which heaps the devices were seen to take: no ' +
      'policy, no serial numbers. It needs no broker. Run it as a user that may open the nodes in /dev; what cannot ' +
      'be read is listed, in the profile as well. DRM devices are given small buffers to try, V4L2 devices where ' +
      'policy allows it.',
    'With --from, it takes what people attach to bug reports: drm_info --json, modetest, v4l2-ctl --all ' +
      '--list-formats-ext, and grep -s . over files of /sys and /proc, several files about one machine; or the report of ' +
      'dmabrokerctl try. The profile goes ' +
      'to stdout, and what no file says is listed as unknown.',
  ],
  async run({ out, warn, shipped }, args) {
    const dumps = args.texts('from');
    const [file, more] = args.operands;
    if (dumps.length === 0 && more !== undefined) throw new UsageError(`what is '${more}' for?`);
    const { inventory, profile } =
      dumps.length === 0 ? await readMachine(warn, shipped) : await readDumps([...dumps, ...args.operands]);
    for (const warning of inventory.warnings) warn(warning);
    if (file === undefined || dumps.length > 0) out.document(profile);
    else await writeTo(file, profile);
    return EXIT.done;
  },
};

interface Recorded {
  readonly inventory: Inventory;
  readonly profile: string;
}

/** @throws {UsageError} a file that is no dump, or a malformed one */
async function readDumps(files: readonly string[]): Promise<Recorded> {
  const { inventoryFromDumps } = await import('../../../daemon/devices/dumps/read-dumps.js');
  const { DumpError } = await import('../../../daemon/devices/dumps/dump-types.js');
  const { importProfile } = await import('../../../daemon/devices/profile/write.js');
  const dumps: { readonly name: string; readonly text: string }[] = [];
  for (const file of files) dumps.push({ name: basename(file), text: await readText(file) });
  const [first, ...others] = dumps;
  if (first !== undefined && others.length === 0 && isTrialReport(first.text)) return readReport(first);
  try {
    const { inventory, from } = await inventoryFromDumps(dumps);
    return { inventory, profile: importProfile(inventory, from, new Date()) };
  } catch (cause) {
    if (cause instanceof DumpError) throw new UsageError(cause.message, { cause });
    throw cause;
  }
}

/** Whether a text is what `dmabrokerctl try --json` wrote. */
const isTrialReport = (text: string): boolean =>
  text.trimStart().startsWith('{') && text.includes('"trials": [') && text.includes('"profile": {');

/** The profile inside a report of trials. @throws {UsageError} */
async function readReport({
  name,
  text,
}: {
  readonly name: string;
  readonly text: string;
}): Promise<Recorded> {
  const { inventoryFromProfile } = await import('../../../daemon/devices/profile/read.js');
  const { profileFromInventory } = await import('../../../daemon/devices/profile/write.js');
  try {
    const { profile } = JSON.parse(text) as { readonly profile?: unknown };
    const { inventory, provenance } = inventoryFromProfile(JSON.stringify(profile), name);
    if (provenance === undefined)
      throw new UsageError(`${name}: its profile does not say where it comes from`);
    return { inventory, profile: profileFromInventory(inventory, provenance) };
  } catch (cause) {
    if (cause instanceof UsageError) throw cause;
    throw new UsageError(cause instanceof SyntaxError ? `${name}: is not JSON` : String(cause), { cause });
  }
}

/** The daemon's rooms are loaded here, because no other verb needs them and loading takes its time. */
async function readMachine(warn: (text: string) => void, shipped: string): Promise<Recorded> {
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
