// The parts of the machine's root in the scenario with systemd: Debian, a kernel's modules where modprobe looks, and what
// a package of ours contains.
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { cached } from '../cache.mjs';
import { archive } from '../initramfs.mjs';
import { debianTree } from './tree.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const checkout = here('../../../');

/** Directories with a package each, and what it is made with. */
const PACKAGES = { '/root/package': [], '/root/next': ['--version', '99.0.0'] };
/** What a test needs of the system besides the package. */
const GUEST = here('guest/etc');
const LINKS = {
  '/etc/systemd/system/multi-user.target.wants/dmabroker-tests.service':
    '/etc/systemd/system/dmabroker-tests.service',
  '/etc/systemd/system/multi-user.target.wants/dmabroker-shell.service':
    '/etc/systemd/system/dmabroker-shell.service',
  // Nothing of these belongs to a test.
  ...Object.fromEntries(
    [
      'apt-daily.timer',
      'apt-daily-upgrade.timer',
      'dpkg-db-backup.timer',
      'fstrim.timer',
      'getty.target',
    ].map((unit) => [`/etc/systemd/system/${unit}`, '/dev/null']),
  ),
};

/** @param {string} kernel its directory @param {string} directory for what is made @returns {readonly string[]} cpios */
export const systemdImages = (kernel, directory) => [debianTree(), modulesTree(kernel), installed(directory)];

function modulesTree(kernel) {
  const directory = cached('modules-tree', [kernel, readFileSync(here('images.mjs'))], (made) => {
    const root = join(made, 'root');
    const modules = join(kernel, 'modules');
    const [first] = readdirSync(modules).filter((file) => file.endsWith('.ko'));
    const magic = execFileSync('modinfo', ['-F', 'vermagic', join(modules, first)], { encoding: 'utf8' });
    const [release] = magic.split(' ');
    const place = join(root, 'usr/lib/modules', release);
    mkdirSync(place, { recursive: true });
    cpSync(modules, join(place, 'kernel'), { recursive: true });
    // What is loaded at the start, with the parameters of the kernel's command line.
    const load = join(root, 'etc/modules-load.d');
    mkdirSync(load, { recursive: true });
    cpSync(join(modules, 'order'), join(load, 'dmabroker-test.conf'));
    rmSync(join(place, 'kernel/order'));
    for (const list of ['modules.order', 'modules.builtin', 'modules.builtin.modinfo'])
      writeFileSync(join(place, list), '');
    execFileSync('depmod', ['-b', join(root, 'usr'), release]);
    archive(root, join(made, 'modules.cpio'));
    rmSync(root, { recursive: true });
  });
  return join(directory, 'modules.cpio');
}

/** The package lies there with one of a later version, and the machine installs it before the tests. */
function installed(directory) {
  const root = join(directory, 'installed');
  for (const [place, options] of Object.entries(PACKAGES)) {
    const to = join(root, place);
    mkdirSync(to, { recursive: true });
    execFileSync(process.execPath, [
      join(checkout, 'systemd/package/deb/build.mjs'),
      '--to',
      to,
      '--library',
      'no',
      ...options,
    ]);
  }
  cpSync(GUEST, join(root, 'etc'), { recursive: true });
  for (const [path, target] of Object.entries(LINKS)) {
    mkdirSync(join(root, dirname(path)), { recursive: true });
    symlinkSync(target, join(root, path));
  }
  chmodSync(root, 0o755);
  const file = join(directory, 'installed.cpio');
  archive(root, file);
  rmSync(root, { recursive: true });
  return file;
}
