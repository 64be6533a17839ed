import type { KernelFiles } from './sysfs.js';

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
