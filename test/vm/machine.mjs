// The machine: made ready once, and the command line that boots it with one kernel or another.
import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { PACKAGES as BENCH } from '../bench/compile.mjs';
import { ensure } from '../tools/ensure.mjs';
import { baseImage, modulesImage, payloadImage, programsImage } from './initramfs.mjs';

const PACKAGES = [
  ...['qemu-system-x86', 'busybox-static', 'cpio', 'kmod', 'xz-utils', 'dbus-daemon'],
  ...['gcc', 'make', 'flex', 'bison', 'bc', 'libelf-dev', 'libssl-dev'],
  ...BENCH,
];
/** Seconds, of a scenario that says nothing; the longest of those takes about a hundred. */
const LIMIT = 1800;
/** MiB, unless a scenario says otherwise. */
const MEMORY = 3072;
/**
 * Without what costs the emulator most and few tests need: page tables of five levels, large registers to save at every
 * switch, and pages that are cleared by the byte. With all that it can emulate (`max`) machines take a quarter longer.
 */
const CPU = 'Nehalem,rdrand=on';
/** Bytes of a command line that an x86 kernel takes (COMMAND_LINE_SIZE); it cuts off the rest. */
const COMMAND_LINE = 2048;

/**
 * Prepares the root with the build under test, and removes it in the end.
 * @param {(root: { directory: string, payload: string, programs: string }) => Promise<void>} use
 */
export async function withRoot(use) {
  ensure(PACKAGES);
  const directory = mkdtempSync(join(tmpdir(), 'dmabroker-vm-'));
  try {
    await use({ directory, payload: payloadImage(directory), programs: programsImage(directory) });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/**
 * @param {{ directory: string, payload: string, programs: string }} root
 * @param {{ name: string, kernel: () => string, append: string, limit?: number, memory?: number, disk?: number, cpu?: string,
 * images?: (kernel: string, directory: string) => readonly string[] }} scenario
 * @param {{ append: string, serial: readonly string[], limited: boolean }} options `append` goes to the kernel's command
 * line, `serial` are QEMU's options for the serial ports, `limited` says whether it ends by itself after a time
 * @returns {readonly string[]} program and arguments
 */
export function machineCommand({ directory, payload, programs }, scenario, { append, serial, limited }) {
  const kernel = scenario.kernel();
  const initrd = join(directory, 'initrd');
  execFileSync('sh', [
    '-c',
    'out=$1; shift; cat "$@" > "$out"',
    'sh',
    initrd,
    ...(scenario.images?.(kernel, directory) ?? [baseImage(), programs, modulesImage(kernel)]),
    payload,
  ]);
  const limit = scenario.limit ?? LIMIT;
  const commandLine = [
    ...['console=ttyS0', 'quiet', 'loglevel=3', 'panic=-1', 'mitigations=off', scenario.append],
    ...[`dmabroker.scenario=${scenario.name}`, `dmabroker.limit=${limit}`, append],
  ].join(' ');
  if (commandLine.length >= COMMAND_LINE) throw new Error(`too long for a kernel: ${commandLine}`);
  // TCG by name: with KVM the guest dies, and QEMU pauses instead of ending.
  const qemu = [
    ...['qemu-system-x86_64', '-accel', 'tcg,thread=multi,tb-size=512', '-machine', 'q35'],
    ...['-cpu', scenario.cpu ?? CPU],
    ...[
      '-m',
      String(scenario.memory ?? MEMORY),
      '-smp',
      '2',
      '-nodefaults',
      '-no-user-config',
      '-display',
      'none',
      '-no-reboot',
    ],
    ...['-kernel', join(kernel, 'vmlinuz'), '-initrd', initrd, '-append', commandLine],
    ...['-device', 'virtio-gpu-pci', '-device', 'bochs-display', ...serial],
    ...(scenario.disk === undefined ? [] : diskOptions(join(directory, 'disk'), scenario.disk)),
  ];
  return limited ? ['timeout', '--kill-after=5', String(limit), ...qemu] : qemu;
}

/** An empty disk of so many MiB, of which the host keeps what is written. */
function diskOptions(file, size) {
  closeSync(openSync(file, 'w'));
  truncateSync(file, size * 2 ** 20);
  return [
    ...['-drive', `file=${file},format=raw,if=none,id=disk,cache=unsafe`],
    ...['-device', 'virtio-blk-pci,drive=disk'],
  ];
}
