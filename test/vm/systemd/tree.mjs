// Debian 13 as its packages are, with systemd as the first process and three people, as one cached cpio.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { ensure } from '../../tools/ensure.mjs';
import { cached } from '../cache.mjs';

const SUITE = 'trixie';
const PACKAGES = [
  ...['systemd', 'systemd-sysv', 'libpam-systemd', 'udev', 'kmod', 'dbus', 'polkitd'],
  ...['login', 'passwd', 'procps', 'nodejs'],
];
/** What takes time to unpack and nobody here reads. */
const LEFT_OUT = [
  ...['/usr/share/doc/*', '/usr/share/man/*', '/usr/share/locale/*', '/usr/share/nodejs/corepack/*'],
  ...['/usr/lib/udev/hwdb.d/*', '/usr/lib/udev/hwdb.bin'],
];
/**
 * `alice` sits before the machine once a test has started the getty of tty1, `bob` does not, and `carol` is an
 * administrator for polkit. The service's own user is made by systemd-sysusers.
 */
const PEOPLE = [
  'useradd --create-home --shell /bin/sh alice',
  'useradd --create-home --shell /bin/sh bob',
  'useradd --create-home --shell /bin/sh --groups sudo carol',
  'echo carol:a-test | chpasswd',
];

/** @returns {string} the cpio */
export function debianTree() {
  const parts = [readFileSync(fileURLToPath(import.meta.url))];
  const directory = cached('tree', parts, (made) => {
    ensure(['mmdebstrap', 'libarchive-tools']);
    process.stdout.write('building the root with systemd\n');
    const options = [
      ...['--quiet', '--variant=minbase', `--include=${PACKAGES.join(',')}`],
      ...LEFT_OUT.map((path) => `--dpkgopt=path-exclude=${path}`),
      ...PEOPLE.map((line) => `--customize-hook=chroot "$1" sh -c '${line}'`),
    ];
    // Owners and modes go from one archive to the other, so that nobody has to be root.
    const script =
      'mmdebstrap "$@" --format=tar > "$OUT/tree.tar" && bsdtar -cf "$OUT/tree.cpio" --format=newc "@$OUT/tree.tar"';
    const env = { ...process.env, OUT: made };
    execFileSync('sh', ['-c', `${script} && rm "$OUT/tree.tar"`, 'sh', ...options, SUITE, '-'], { env });
  });
  return join(directory, 'tree.cpio');
}
