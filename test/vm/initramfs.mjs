// The machine's root: the programs as one cached cpio, then the build under test with what runs it, then a kernel's modules.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

import { compile, compileFile } from '../bench/compile.mjs';
import { cached } from './cache.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const checkout = here('../../');
const run = (program, args) => execFileSync(program, args, { encoding: 'utf8' });

/** The programs of the tests in C, each of which is /bin/NAME. */
const C = here('rig/c');

/** Each has a group of the same number. */
const USERS = { root: 0, dmabroker: 990, attacker: 2001, victim: 2002, nobody: 65534 };
const PACKAGES = ['busybox-static', 'dbus-daemon', 'libc6', 'libstdc++6'];

/** @returns {string} the cpio of programs */
export function baseImage() {
  const versions = run('dpkg-query', ['-W', ...PACKAGES]);
  const parts = [process.version, versions, readFileSync(here('initramfs.mjs'))];
  const directory = cached('base', parts, (made) => {
    process.stdout.write('building the root\n');
    const root = join(made, 'root');
    for (const name of ['bin', 'dev', 'proc', 'sys', 'tmp', 'run', 'etc', 'out'])
      mkdirSync(join(root, name), { recursive: true });
    cpSync(run('which', ['busybox']).trim(), join(root, 'bin/busybox'), { dereference: true });
    program(root, process.execPath, '/bin/node');
    program(root, run('which', ['dbus-daemon']).trim(), '/bin/dbus-daemon');
    const lines = Object.entries(USERS).map(([name, id]) => `${name}:x:${id}:${id}::/:/bin/sh\n`);
    writeFileSync(join(root, 'etc/passwd'), lines.join(''));
    const groups = Object.entries(USERS).map(
      ([name, id]) => `${name === 'nobody' ? 'nogroup' : name}:x:${id}:\n`,
    );
    writeFileSync(join(root, 'etc/group'), groups.join(''));
    writeFileSync(join(root, 'etc/machine-id'), `${'0123456789abcdef'.repeat(2)}\n`);
    archive(root, join(made, 'base.cpio'));
    rmSync(root, { recursive: true });
  });
  return join(directory, 'base.cpio');
}

/** @param {string} kernel its directory */
export function modulesImage(kernel) {
  const directory = cached('modules', [kernel, readFileSync(here('initramfs.mjs'))], (made) => {
    const root = join(made, 'root');
    cpSync(join(kernel, 'modules'), join(root, 'modules'), { recursive: true });
    archive(root, join(made, 'modules.cpio'));
    rmSync(root, { recursive: true });
  });
  return join(directory, 'modules.cpio');
}

/**
 * The first process; the build, what it depends on and the tests, as /app. Nothing else: it lies above other roots than
 * ours, whose libraries are their own.
 */
export function payloadImage(directory) {
  const root = join(directory, 'payload');
  const app = join(root, 'app');
  mkdirSync(app, { recursive: true });
  const skipMaps = (path) => !/\.map$|\.d\.m?ts$/.test(path);
  for (const path of ['package.json', 'dist', 'policy', 'dbus', ...dependencies()])
    cpSync(join(checkout, path), join(app, path), { recursive: true, dereference: true, filter: skipMaps });
  cpSync(here('guest'), join(app, 'guest'), { recursive: true });
  cpSync(here('guest/init'), join(root, 'init'));
  const file = join(directory, 'payload.cpio');
  archive(root, file);
  rmSync(root, { recursive: true });
  return file;
}

/** Programs of the tests, with the libraries of this machine, for the root that is made of it. */
export function programsImage(directory) {
  const root = join(directory, 'programs');
  program(root, compile('load', directory), '/bin/load');
  program(root, compile('echo', directory), '/bin/c-echo');
  for (const source of readdirSync(C).filter((file) => file.endsWith('.c')))
    program(root, compileFile(join(C, source), directory), `/bin/${basename(source, '.c')}`);
  const file = join(directory, 'programs.cpio');
  archive(root, file);
  rmSync(root, { recursive: true });
  return file;
}

function dependencies() {
  const listed = run('npm', ['ls', '--omit=dev', '--all', '--parseable', '--prefix', checkout])
    .trim()
    .split('\n');
  return listed.map((path) => relative(checkout, path)).filter((path) => path.startsWith('node_modules/'));
}

/** A program and its shared libraries, at the paths where the loader looks. */
function program(root, file, to) {
  mkdirSync(join(root, dirname(to)), { recursive: true });
  cpSync(realpathSync(file), join(root, to));
  for (const [, library] of run('ldd', [file]).matchAll(/(\/\S+) \(0x/g)) {
    mkdirSync(join(root, dirname(library)), { recursive: true });
    cpSync(library, join(root, library), { dereference: true });
  }
}

/** Makes a cpio of everything below a directory, as root's. */
export function archive(root, file) {
  execFileSync('sh', ['-c', 'find . | cpio --quiet -o -H newc -R 0:0 > "$1"', 'sh', file], { cwd: root });
}
