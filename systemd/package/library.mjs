// Builds libdmabroker, and the GStreamer element that uses it, which take a C toolchain, and lays them out below a directory.
import { execFileSync, spawnSync } from 'node:child_process';
import { lstatSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** For each part: a command that succeeds where the tool is installed, and the Debian package that has it. */
const PARTS = {
  library: {
    name: 'libdmabroker',
    needed: [
      { command: ['cc', '--version'], name: 'gcc' },
      { command: ['meson', '--version'], name: 'meson' },
      { command: ['pkg-config', '--exists', 'libsystemd'], name: 'libsystemd-dev and pkg-config' },
    ],
  },
  gstreamer: {
    name: 'the GStreamer element',
    needed: [
      { command: ['pkg-config', '--exists', 'gstreamer-1.0 >= 1.22'], name: 'libgstreamer1.0-dev' },
      {
        command: ['pkg-config', '--exists', 'gstreamer-video-1.0 gstreamer-allocators-1.0'],
        name: 'libgstreamer-plugins-base1.0-dev',
      },
      { command: ['pkg-config', '--exists', 'libdrm'], name: 'libdrm-dev' },
    ],
  },
};

/** Names of the missing packages. */
const missing = (needed) =>
  needed
    .filter(({ command: [program, ...args] }) => spawnSync(program, args).status !== 0)
    .map(({ name }) => name);

/**
 * Whether to build a part; says in a line why not.
 * @param {keyof typeof PARTS} part
 * @param {string} choice yes, no, or auto: where all that it needs is installed
 * @param {readonly { command: readonly string[], name: string }[]} also needed
 */
export function wants(part, choice, also = []) {
  if (!['yes', 'no', 'auto'].includes(choice))
    throw new Error(`--${part} is yes, no or auto, and not ${choice}`);
  if (choice === 'no') return false;
  const { name, needed } = PARTS[part];
  const absent = missing([...needed, ...also]);
  if (absent.length === 0) return true;
  const why = `${name} is left out: it needs ${absent.join(', ')}`;
  if (choice === 'yes') throw new Error(why);
  process.stderr.write(`${why}\n`);
  return false;
}

/**
 * The same to the byte whenever and wherever it is built by one compiler.
 * @param {{ checkout: string, prefix: string, libdir: string, gstreamer: boolean }} where libdir is below the prefix;
 * gstreamer: with the element
 * @param {(path: string, file: { contents: Buffer } | { target: string }) => void} put takes each file or link, at its
 * path from the root
 */
export function buildLibrary({ checkout, prefix, libdir, gstreamer }, put) {
  const stage = mkdtempSync(join(tmpdir(), 'dmabroker-library-'));
  try {
    const root = join(stage, 'root');
    const options = [
      '--buildtype=release',
      `--prefix=${prefix}`,
      `--libdir=${libdir}`,
      '--includedir=include',
    ];
    // What stands in a build's directory for the time before it is installed.
    const PKG_CONFIG_PATH = join(stage, 'library/meson-uninstalled');
    const env = { ...process.env, PKG_CONFIG_PATH };
    const run = (program, ...args) =>
      execFileSync(program, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
    const install = (name, source) => {
      run('meson', 'setup', join(stage, name), join(checkout, source), ...options);
      run('meson', 'install', '-C', join(stage, name), '--destdir', root, '--strip');
    };
    install('library', 'client/c');
    if (gstreamer) install('gstreamer', 'client/integrations/gstreamer');
    for (const path of readdirSync(root, { recursive: true }).sort()) {
      const file = join(root, path);
      const status = lstatSync(file);
      if (status.isSymbolicLink()) put(path, { target: readlinkSync(file) });
      else if (status.isFile()) put(path, { contents: readFileSync(file) });
    }
  } finally {
    rmSync(stage, { recursive: true });
  }
}
