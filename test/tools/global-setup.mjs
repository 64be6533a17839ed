// Runs once before the tests, and names in a line what is missing that only some of them need.
import { accessSync, constants, existsSync } from 'node:fs';

import { ensure, hasProgram, howToGet, missing } from './ensure.mjs';
import { mayBuildOffline } from './offline.mjs';
// Ends the run where what all need is not there.
import './needed.mjs';

const OPTIONAL = [
  ...['dbus-broker', 'systemd', 'libglib2.0-bin', 'xdg-dbus-proxy'],
  ...['gcc', 'g++', 'cmake', 'meson', 'valgrind', 'libsystemd-dev', 'libdrm-dev', 'linux-libc-dev'],
  ...[
    'libgstreamer1.0-dev',
    'libgstreamer-plugins-base1.0-dev',
    'gstreamer1.0-tools',
    'gstreamer1.0-plugins-base',
  ],
  ...['libcamera-dev', 'libavutil-dev', 'libwayland-dev', 'libwayland-bin', 'wayland-protocols'],
  ...['bsdutils', 'fish', 'zsh', 'man-db', 'lintian', 'rpm', 'rpmlint'],
];

export default function setup() {
  // Once for all projects.
  if (process.env.SKIPS_ARE_TOLD !== undefined) return;
  process.env.SKIPS_ARE_TOLD = '1';
  if (!ensure(OPTIONAL, { optional: true })) skipping(howToGet(missing(OPTIONAL)));
  for (const [need, isThere] of MACHINE) if (!isThere()) skipping(need);
}

const skipping = (need) => process.stderr.write(`skipping the tests that need ${need}\n`);

/** Requirements that no package can provide. */
const MACHINE = [
  isRoot() ? ['a user other than root', () => false] : ['root', () => false],
  ['several minutes, for a build without a network (REQUIRE_ALL_TOOLS=1 runs it)', mayBuildOffline],
  ['Debian (dpkg-deb)', () => hasProgram('dpkg-deb')],
  ['a kernel with pressure stall information (/proc/pressure)', () => existsSync('/proc/pressure/memory')],
  ['a writable /sys (to have the kernel tell of a device)', () => isWritable('/sys/class/mem/null/uevent')],
];

function isRoot() {
  return process.getuid() === 0;
}

function isWritable(path) {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
