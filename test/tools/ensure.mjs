// Sees to it that the Debian packages a test needs are there: installs them when it may, or says which are missing.
import { execFileSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** A file that each package brings: a program on PATH, or a path. Asking for it is quicker than asking dpkg. */
const MARKS = {
  'dbus-daemon': 'dbus-daemon',
  'dbus-broker': 'dbus-broker',
  systemd: 'busctl',
  'libglib2.0-bin': 'gdbus',
  gcc: 'gcc',
  'libsystemd-dev': '/usr/include/systemd/sd-bus.h',
  'libdrm-dev': '/usr/include/libdrm/drm_fourcc.h',
  'linux-libc-dev': '/usr/include/linux/dma-buf.h',
  'xdg-dbus-proxy': 'xdg-dbus-proxy',
  fish: 'fish',
  zsh: 'zsh',
  mandoc: 'mandoc',
  lintian: 'lintian',
  rpm: 'rpmbuild',
  rpmlint: 'rpmlint',
  'man-db': 'man',
  'qemu-system-x86': 'qemu-system-x86_64',
  'busybox-static': 'busybox',
  cpio: 'cpio',
  kmod: '/sbin/depmod',
  'xz-utils': 'xz',
  make: 'make',
  flex: 'flex',
  bison: 'bison',
  bc: 'bc',
  'libelf-dev': '/usr/include/libelf.h',
  mmdebstrap: 'mmdebstrap',
  'libarchive-tools': 'bsdtar',
  'libssl-dev': '/usr/include/openssl/ssl.h',
};

/**
 * @param {readonly string[]} packages names of Debian packages, of the table above
 * @param {{ optional?: boolean }} [options] optional: what is missing is only warned about
 * @returns {boolean} whether all are there now
 * @throws {Error} with one line that names what is missing
 */
export function ensure(packages, { optional = false } = {}) {
  let missing = packages.filter((name) => !present(name));
  if (missing.length > 0 && mayInstall()) {
    install(missing);
    missing = missing.filter((name) => !present(name));
  }
  if (missing.length === 0) return true;
  const line = `missing packages: ${missing.join(' ')} (apt-get install ${missing.join(' ')})`;
  if (!optional) throw new Error(line);
  process.stderr.write(`warning: ${line}; the tests that need them are skipped\n`);
  return false;
}

/** Whether a program is on PATH. */
export const hasProgram = (name) =>
  (process.env['PATH'] ?? '').split(delimiter).some((dir) => executable(join(dir, name)));

function present(name) {
  const mark = MARKS[name];
  if (mark === undefined) throw new Error(`test/tools/ensure.mjs does not know the package ${name}`);
  return mark.startsWith('/') ? existsSync(mark) : hasProgram(mark);
}

function executable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

const mayInstall = () => process.getuid?.() === 0 && hasProgram('apt-get') && hasProgram('dpkg');

function install(packages) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const apt = (...args) => {
    execFileSync('apt-get', ['-qq', '-o', 'Dpkg::Use-Pty=0', ...args], { env, stdio: 'ignore' });
  };
  const attempt = () => {
    apt('install', '--yes', '--no-install-recommends', ...packages);
  };
  try {
    try {
      attempt();
    } catch {
      apt('update');
      attempt();
    }
  } catch {
    // What could not be installed is named as missing.
  }
}
