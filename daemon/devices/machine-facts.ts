import { readBoard } from './device-tree.js';
import type { Machine } from './inventory.js';
import type { MemoryFacts } from './memory-facts.js';
import type { KernelFiles } from './sysfs.js';

const DMI = '/sys/class/dmi/id';

/** What kind of machine it is, for a person; no serial numbers. */
export async function readMachine(
  files: KernelFiles,
  { ram, ramTop, cmaTop }: MemoryFacts,
): Promise<Machine> {
  const { model, compatible } = await readBoard(files);
  const commandLine = await readCommandLinePlace(files);
  return {
    name: model ?? (await productName(files)) ?? 'unknown',
    architecture: (await files.text('/proc/sys/kernel/arch')) ?? 'unknown',
    kernel: (await files.text('/proc/sys/kernel/osrelease')) ?? 'unknown',
    compatible,
    ram,
    ramTop,
    ...(cmaTop && { cmaTop }),
    ...(commandLine !== undefined && { commandLine }),
  };
}

async function productName(files: KernelFiles): Promise<string | undefined> {
  const names = [await files.text(`${DMI}/sys_vendor`), await files.text(`${DMI}/product_name`)];
  const known = names.filter((name) => name !== undefined && name !== '');
  return known.length === 0 ? undefined : known.join(' ');
}

/**
 * Files that systems take the kernel's command line from. A file that a tool writes another from comes before that other:
 * what is changed there is not overwritten.
 */
export const COMMAND_LINE_FILES = [
  // Raspberry Pi OS, since 2023 and before
  '/boot/firmware/cmdline.txt',
  '/boot/cmdline.txt',
  // Armbian
  '/boot/armbianEnv.txt',
  // Debian's u-boot-menu, which writes extlinux.conf
  '/etc/default/u-boot',
  '/boot/extlinux/extlinux.conf',
  '/etc/default/grub',
  // kernel-install, for systemd-boot and unified kernel images
  '/etc/kernel/cmdline',
  '/boot/loader/entries',
  '/efi/loader/entries',
] as const;

/** The first of them that is there. */
export async function readCommandLinePlace(files: KernelFiles): Promise<string | undefined> {
  for (const path of COMMAND_LINE_FILES) if (await files.exists(path)) return path;
  return undefined;
}
