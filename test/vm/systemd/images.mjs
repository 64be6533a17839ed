// The parts of the machine's root in the scenario with systemd: Debian, a kernel's modules where modprobe looks, and our
// files where a package would put them.
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

/** From the checkout to the places that their comments name. */
const INSTALLED = {
  'policy/dmabroker.conf': '/usr/lib/dmabroker/dmabroker.conf',
  'policy/dmabroker.conf.d': '/usr/lib/dmabroker/dmabroker.conf.d',
  'dbus/org.dmabroker1.conf': '/usr/share/dbus-1/system.d/org.dmabroker1.conf',
  'dbus/org.dmabroker1.service': '/usr/share/dbus-1/system-services/org.dmabroker1.service',
  'dbus/org.dmabroker1.policy': '/usr/share/polkit-1/actions/org.dmabroker1.policy',
  'systemd/dmabrokerd.service': '/usr/lib/systemd/system/dmabrokerd.service',
  'systemd/dmabrokerd.service.d': '/usr/lib/systemd/system/dmabrokerd.service.d',
  'systemd/dmabroker.sysusers': '/usr/lib/sysusers.d/dmabroker.conf',
  'systemd/40-dmabroker.rules': '/usr/lib/udev/rules.d/40-dmabroker.rules',
  'test/vm/systemd/guest/etc': '/etc',
};
/** /app is the package; the payload brings it. */
const LINKS = {
  '/usr/bin/dmabrokerd': '/app/dist/daemon/main.js',
  '/usr/bin/dmabrokerctl': '/app/dist/client/cli/main.js',
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

/** @param {string} kernel its directory @returns {readonly string[]} cpios */
export const systemdImages = (kernel) => [debianTree(), modulesTree(kernel), installed()];

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

function installed() {
  const sources = Object.keys(INSTALLED).flatMap(contents);
  const directory = cached('installed', [readFileSync(here('images.mjs')), ...sources], (made) => {
    const root = join(made, 'root');
    for (const [from, to] of Object.entries(INSTALLED)) {
      mkdirSync(join(root, dirname(to)), { recursive: true });
      cpSync(join(checkout, from), join(root, to), { recursive: true });
    }
    for (const [path, target] of Object.entries(LINKS)) {
      mkdirSync(join(root, dirname(path)), { recursive: true });
      symlinkSync(target, join(root, path));
    }
    chmodSync(root, 0o755);
    archive(root, join(made, 'installed.cpio'));
    rmSync(root, { recursive: true });
  });
  return join(directory, 'installed.cpio');
}

/** Names and contents of a file, or of all below a directory. */
function contents(path) {
  const whole = join(checkout, path);
  const names = readdirSync(dirname(whole), { withFileTypes: true });
  const isFile = names.some((entry) => entry.isFile() && join(dirname(whole), entry.name) === whole);
  if (isFile) return [path, readFileSync(whole)];
  return readdirSync(whole).flatMap((name) => contents(join(path, name)));
}
