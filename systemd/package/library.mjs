// Builds libdmabroker, which takes a C toolchain, and lays it out below a directory.
import { execFileSync, spawnSync } from 'node:child_process';
import { lstatSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A command that succeeds where the tool is installed, and the Debian package that has it. */
const NEEDED = [
  { command: ['cc', '--version'], name: 'gcc' },
  { command: ['meson', '--version'], name: 'meson' },
  { command: ['pkg-config', '--exists', 'libsystemd'], name: 'libsystemd-dev and pkg-config' },
];

/** Names of the missing packages. */
const missing = (needed) =>
  needed
    .filter(({ command: [program, ...args] }) => spawnSync(program, args).status !== 0)
    .map(({ name }) => name);

/**
 * Whether to build it; says in a line why not.
 * @param {string} choice yes, no, or auto: where all that it needs is installed
 * @param {readonly { command: readonly string[], name: string }[]} also needed
 */
export function wantsLibrary(choice, also = []) {
  if (!['yes', 'no', 'auto'].includes(choice))
    throw new Error(`--library is yes, no or auto, and not ${choice}`);
  if (choice === 'no') return false;
  const absent = missing([...NEEDED, ...also]);
  if (absent.length === 0) return true;
  const why = `libdmabroker is left out: it needs ${absent.join(', ')}`;
  if (choice === 'yes') throw new Error(why);
  process.stderr.write(`${why}\n`);
  return false;
}

/**
 * The same to the byte whenever and wherever it is built by one compiler.
 * @param {{ checkout: string, prefix: string, libdir: string }} where libdir is below the prefix
 * @param {(path: string, file: { contents: Buffer } | { target: string }) => void} put takes each file or link, at its
 * path from the root
 */
export function buildLibrary({ checkout, prefix, libdir }, put) {
  const stage = mkdtempSync(join(tmpdir(), 'dmabroker-library-'));
  try {
    const build = join(stage, 'build');
    const root = join(stage, 'root');
    const options = [
      '--buildtype=release',
      `--prefix=${prefix}`,
      `--libdir=${libdir}`,
      '--includedir=include',
    ];
    const run = (program, ...args) => execFileSync(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    run('meson', 'setup', build, join(checkout, 'client/c'), ...options);
    run('meson', 'install', '-C', build, '--destdir', root, '--strip');
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
