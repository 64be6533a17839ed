// A small kernel of our own configuration, everything built in: the one that has a CMA heap.
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { cached } from '../cache.mjs';
import { kernelPackages, unpackSource } from './packages.mjs';

const path = (file) => fileURLToPath(new URL(file, import.meta.url));

/**
 * @param {string} series as of kernelPackages
 * @param {readonly string[]} more files of this directory with what it has besides
 * @returns {string} a directory with `vmlinuz` and an empty `modules/order`
 */
export function ownKernel(series, more = []) {
  const packages = kernelPackages(series);
  const fragment = ['own.config', ...more].map((file) => readFileSync(path(file), 'utf8')).join('');
  const parts = [packages.version, fragment, readFileSync(path('own.mjs'))];
  return cached('own', parts, (directory) => {
    const work = join(directory, 'work');
    const tree = unpackSource(packages, work);
    nameTheArea(join(tree, 'kernel/dma/contiguous.c'));
    configure(tree, fragment);
    process.stdout.write(
      `building ${packages.source} in our own configuration; this takes about five minutes\n`,
    );
    make(tree, `-j${availableParallelism()}`, 'bzImage');
    copyFileSync(join(tree, 'arch/x86/boot/bzImage'), join(directory, 'vmlinuz'));
    rmSync(work, { recursive: true });
    mkdirSync(join(directory, 'modules'));
    writeFileSync(join(directory, 'modules/order'), '');
  });
}

const make = (tree, ...args) => {
  try {
    execFileSync('make', ['-s', '-C', tree, ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
      maxBuffer: 1 << 28,
    });
  } catch (error) {
    throw new Error(`the kernel did not build:\n${String(error.stderr).slice(-4000)}`, { cause: error });
  }
};

/** Between options of which a kernel has one: they are renamed from series to series. */
const OR = ' # or ';

/** @throws {Error} when the configuration did not take a line of the fragment */
function configure(tree, fragment) {
  make(tree, 'tinyconfig');
  const config = join(tree, '.config');
  const lines = fragment.split('\n').filter((line) => /^CONFIG_/.test(line));
  const wanted = lines.flatMap((line) => line.split(OR));
  const names = new Set(wanted.map((line) => line.split('=')[0]));
  const kept = readFileSync(config, 'utf8')
    .split('\n')
    .filter((line) => !names.has(/CONFIG_\w+/.exec(line)?.[0] ?? ''));
  writeFileSync(config, `${[...kept, ...wanted].join('\n')}\n`);
  make(tree, 'olddefconfig');
  const taken = new Set(readFileSync(config, 'utf8').split('\n'));
  const isTaken = (line) => line.split(OR).some((option) => option.endsWith('=n') || taken.has(option));
  const lost = lines.filter((line) => !isTaken(line));
  if (lost.length > 0) throw new Error(`the kernel's configuration does not take ${lost.join(', ')}`);
}

/**
 * Lets the command line name the default CMA area (`cma_name=`), and so its heap: the kernel takes the name from a device
 * tree, which this machine has not, and otherwise from a literal that changed between versions.
 */
function nameTheArea(file) {
  const before = readFileSync(file, 'utf8');
  const option = [
    'static char default_area_name[CMA_MAX_NAME] __initdata = "reserved";',
    '',
    'static int __init early_cma_name(char *name)',
    '{',
    '\tstrscpy(default_area_name, name, sizeof(default_area_name));',
    '\treturn 0;',
    '}',
    'early_param("cma_name", early_cma_name);',
    '',
    '',
  ].join('\n');
  const start = 'static int __init early_cma(char *p)';
  const after = before
    .replace(start, option + start)
    .replace('"reserved", res_cma', 'default_area_name, res_cma');
  if (!after.includes('default_area_name, res_cma') || !after.includes(option))
    throw new Error(
      'kernel/dma/contiguous.c is not as expected: the name of the default CMA area cannot be set',
    );
  writeFileSync(file, after);
}
