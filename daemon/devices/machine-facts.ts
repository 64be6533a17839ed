import { readCommandLinePlace } from './command-line.js';
import { readBoard } from './device-tree.js';
import type { Machine } from './inventory.js';
import type { MemoryFacts } from './memory-facts.js';
import type { KernelFiles } from './sysfs.js';

const DMI = '/sys/class/dmi/id';

/** What kind of machine it is, for a person; no serial numbers. */
export async function readMachine(files: KernelFiles, { ram, ramTop }: MemoryFacts): Promise<Machine> {
  const { model, compatible } = await readBoard(files);
  const commandLine = await readCommandLinePlace(files);
  return {
    name: model ?? (await productName(files)) ?? 'unknown',
    architecture: (await files.text('/proc/sys/kernel/arch')) ?? 'unknown',
    kernel: (await files.text('/proc/sys/kernel/osrelease')) ?? 'unknown',
    compatible,
    ram,
    ramTop,
    ...(commandLine !== undefined && { commandLine }),
  };
}

async function productName(files: KernelFiles): Promise<string | undefined> {
  const names = [await files.text(`${DMI}/sys_vendor`), await files.text(`${DMI}/product_name`)];
  const known = names.filter((name) => name !== undefined && name !== '');
  return known.length === 0 ? undefined : known.join(' ');
}
