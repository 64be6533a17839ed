// Tells whether the Debian packages that a test needs are there. It installs none: .ci/run does, from .ci/packages.
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** What the C library and the GStreamer element are built with. */
export const LIBRARY_TOOLS = [
  ...['gcc', 'meson', 'libsystemd-dev'],
  ...['libgstreamer1.0-dev', 'libgstreamer-plugins-base1.0-dev', 'libdrm-dev'],
];

/** A file that each package brings: a program on PATH, or a path. Asking for it is quicker than asking dpkg. */
export const MARKS = {
  'dbus-daemon': 'dbus-daemon',
  'dbus-broker': 'dbus-broker',
  systemd: 'busctl',
  'libglib2.0-bin': 'gdbus',
  'python3-gi': '/usr/lib/python3/dist-packages/gi/__init__.py',
  'python3-dbus': '/usr/lib/python3/dist-packages/dbus/__init__.py',
  gcc: 'gcc',
  cmake: 'cmake',
  'g++': 'g++',
  meson: 'meson',
  'dpkg-dev': 'dpkg-shlibdeps',
  valgrind: 'valgrind',
  'libsystemd-dev': '/usr/include/systemd/sd-bus.h',
  'libdrm-dev': '/usr/include/libdrm/drm_fourcc.h',
  'libgstreamer1.0-dev': '/usr/include/gstreamer-1.0/gst/gst.h',
  'libgstreamer-plugins-base1.0-dev': '/usr/include/gstreamer-1.0/gst/video/video.h',
  'gstreamer1.0-tools': 'gst-inspect-1.0',
  'gstreamer1.0-plugins-base': '/usr/share/doc/gstreamer1.0-plugins-base/copyright',
  'libcamera-dev': '/usr/include/libcamera/libcamera/framebuffer.h',
  'libavutil-dev': '/usr/share/doc/libavutil-dev/copyright',
  'libwayland-dev': '/usr/include/wayland-client.h',
  'libwayland-bin': 'wayland-scanner',
  'wayland-protocols': '/usr/share/wayland-protocols/stable/xdg-shell/xdg-shell.xml',
  'linux-libc-dev': '/usr/include/linux/dma-buf.h',
  'xdg-dbus-proxy': 'xdg-dbus-proxy',
  bsdutils: 'script',
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

/** With it, as in .ci/run, no test is skipped because a package is missing: it fails instead. */
const mustHaveAll = (process.env['REQUIRE_ALL_TOOLS'] ?? '') !== '';

/**
 * @param {readonly string[]} packages names of Debian packages, of the table above
 * @param {{ optional?: boolean }} [options] optional: the caller leaves out what needs them
 * @returns {boolean} whether all are there
 * @throws {Error} with one line that names what is missing, if it is not optional or REQUIRE_ALL_TOOLS is set
 */
export function ensure(packages, { optional = false } = {}) {
  const absent = missing(packages);
  if (absent.length === 0) return true;
  if (!optional || mustHaveAll) throw new Error(`missing: ${howToGet(absent)}`);
  return false;
}

/** Which of the packages are not there. */
export const missing = (packages) => packages.filter((name) => !present(name));

/** Names packages and how to get them, in a line. */
export const howToGet = (packages) =>
  `${packages.join(', ')} (on Debian: apt-get install ${packages.join(' ')})`;

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
