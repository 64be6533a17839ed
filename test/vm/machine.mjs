// The machine: made ready, and the command line that boots it.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { ensure } from '../tools/ensure.mjs';
import { baseImage, payloadImage } from './initramfs.mjs';
import { fetchKernel } from './kernel.mjs';

const PACKAGES = ['qemu-system-x86', 'busybox-static', 'cpio', 'kmod', 'xz-utils', 'dbus-daemon'];
/** Seconds; a boot takes six. */
const LIMIT = 240;

/**
 * @param {string} append added to the kernel's command line
 * @param {readonly string[]} serial options of QEMU for the serial ports, by the machine's temporary directory
 * @param {(command: string, args: readonly string[], directory: string) => Promise<number>} use
 * @param {boolean} limited whether it ends by itself after a time
 */
export async function withMachine({ append, serial, limited }, use) {
  ensure(PACKAGES);
  const directory = mkdtempSync(join(tmpdir(), 'dmabroker-vm-'));
  try {
    const kernel = fetchKernel();
    const initrd = join(directory, 'initrd');
    const images = [baseImage(kernel), payloadImage(directory)];
    execFileSync('sh', ['-c', 'cat "$1" "$2" > "$3"', 'sh', ...images, initrd]);
    // TCG by name: with KVM the guest dies, and QEMU pauses instead of ending.
    const qemu = [
      ...['qemu-system-x86_64', '-accel', 'tcg,thread=multi,tb-size=512', '-cpu', 'max', '-machine', 'q35'],
      ...['-m', '2048', '-smp', '2', '-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot'],
      ...['-kernel', join(kernel, 'vmlinuz'), '-initrd', initrd],
      ...['-append', `console=ttyS0 quiet loglevel=3 panic=-1 mitigations=off ${append}`],
      ...['-device', 'virtio-gpu-pci', '-device', 'bochs-display', ...serial(directory)],
    ];
    const [command, ...args] = limited ? ['timeout', '--kill-after=5', String(LIMIT), ...qemu] : qemu;
    return await use(command, args, directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
