import type { Inventory, Machine } from '../devices/inventory.js';
import type { Policy } from '../policy/policy.js';
import { sizeContext } from './plan.js';

const MIB = 1n << 20n;

/**
 * `cma=` goes in steps of this many bytes. The kernel itself rounds up to what its pages make necessary (4 MiB at most with
 * pages of 4 KiB, 32 MiB with 16 KiB); a rounder number leaves a little room, and people find it again.
 */
const CMA_STEP = 16n * MIB;

/**
 * The least memory to reserve at boot so that policy lets `asked` bytes of it be handed out: policy may leave a part of the
 * heap to the kernel's drivers, which have their own buffers there.
 * @returns bytes; undefined when no more than half of RAM will do, or policy's limit comes from elsewhere
 */
export function cmaFor(asked: bigint, inventory: Inventory, policy: Policy): bigint | undefined {
  const context = sizeContext(inventory);
  const isEnough = (steps: bigint): boolean => {
    const heap = steps * CMA_STEP;
    return heap >= asked && policy.pool('contiguous', { ...context, heap }).limit.value >= asked;
  };
  let [least, most] = [0n, context.ram / 2n / CMA_STEP];
  if (!isEnough(most)) return undefined;
  // A limit never falls while the heap grows: policy's sizes have nothing that takes away.
  while (most - least > 1n) {
    const middle = (least + most) / 2n;
    if (isEnough(middle)) most = middle;
    else least = middle;
  }
  return most * CMA_STEP;
}

/** How to have the kernel reserve memory for contiguous buffers. @param bytes whole MiB */
export const reserve = (bytes: bigint, machine: Machine): string =>
  `add \`cma=${bytes / MIB}M\` to the kernel command line${placeText(machine)}`;

/** What to do with each of the files that systems take the kernel's command line from. */
const AT_FILE: ReadonlyMap<string, string> = new Map([
  ['/boot/armbianEnv.txt', 'extraargs= in /boot/armbianEnv.txt'],
  ['/etc/default/u-boot', 'U_BOOT_PARAMETERS= in /etc/default/u-boot, then run u-boot-update'],
  ['/boot/extlinux/extlinux.conf', 'the append lines of /boot/extlinux/extlinux.conf'],
  ['/etc/default/grub', 'GRUB_CMDLINE_LINUX= in /etc/default/grub, then run update-grub'],
  ['/etc/kernel/cmdline', '/etc/kernel/cmdline, then run kernel-install add-all'],
  ['/boot/loader/entries', 'the options lines of /boot/loader/entries/*.conf'],
  ['/efi/loader/entries', 'the options lines of /efi/loader/entries/*.conf'],
]);
const RASPBERRY_PI = '/boot/firmware/cmdline.txt';

/** In which file this system has it, in brackets; nothing where that is not known. */
function placeText({ commandLine, compatible }: Machine): string {
  const isPi = compatible.some((name) => name.startsWith('raspberrypi,'));
  const file = commandLine ?? (isPi ? RASPBERRY_PI : undefined);
  if (file === undefined) return '';
  const kind = compatible.length > 0 ? 'board' : 'machine';
  return ` (this ${kind}: ${AT_FILE.get(file) ?? file})`;
}
