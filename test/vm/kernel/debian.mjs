// A kernel as Debian packages it, with its modules decompressed, those that Debian does not build beside them, and all of
// them in the order of loading.
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { cached } from '../cache.mjs';
import { run } from './apt.mjs';
import { buildBeside } from './beside.mjs';
import { kernelPackages, unpack } from './packages.mjs';

const DRIVERS = ['virtio_pci', 'virtio_blk', 'vgem', 'virtio-gpu', 'bochs', 'vivid', 'vkms', 'vim2m'];
/** Modules in some kernels, and in others built in or left out. */
const HEAPS = ['system_heap', 'cma_heap'];

const own = (file) => readFileSync(fileURLToPath(new URL(file, import.meta.url)));

/**
 * @param {string} series as of kernelPackages
 * @returns {string} a directory with `vmlinuz`, `modules/*.ko` and `modules/order`
 */
export function debianKernel(series) {
  const packages = kernelPackages(series);
  const files = ['debian.mjs', 'packages.mjs', 'apt.mjs', 'beside.mjs'].map(own);
  return cached('debian', [packages.release, packages.version, ...files], (directory) => {
    const work = join(directory, 'work');
    const tree = join(work, 'image');
    unpack(packages.apt, packages.image, tree);
    // Later packages have it where it is only on a system with a merged /usr.
    if (!existsSync(join(tree, 'lib'))) symlinkSync('usr/lib', join(tree, 'lib'));
    const modules = join(tree, 'lib/modules', packages.release);
    const places = [join(tree, 'boot', `vmlinuz-${packages.release}`), join(modules, 'vmlinuz')];
    copyFileSync(places.find((place) => existsSync(place)) ?? places[0], join(directory, 'vmlinuz'));
    buildBeside(packages, work, join(modules, 'extra'));
    copyModules(tree, packages.release, join(directory, 'modules'));
    rmSync(work, { recursive: true });
  });
}

function copyModules(tree, release, to) {
  mkdirSync(to);
  run('depmod', ['-b', tree, release]);
  const show = ['-d', tree, '-S', release, '--show-depends'];
  const dependsOf = (driver) => run('modprobe', [...show, driver], { stdio: 'pipe' }).split('\n');
  // What is built in has no line of its own.
  const lines = [...HEAPS.flatMap((heap) => orNothing(() => dependsOf(heap))), ...DRIVERS.flatMap(dependsOf)];
  const files = [
    ...new Set(lines.filter((line) => line.startsWith('insmod ')).map((line) => line.split(' ')[1])),
  ];
  const order = files.map((file) => {
    const plain = basename(file).replace(/\.xz$/, '');
    const content = file.endsWith('.xz')
      ? run('xz', ['-dc', file], { encoding: 'buffer' })
      : readFileSync(file);
    writeFileSync(join(to, plain), content);
    return basename(plain, '.ko');
  });
  writeFileSync(join(to, 'order'), `${order.join('\n')}\n`);
}

function orNothing(list) {
  try {
    return list();
  } catch {
    return [];
  }
}
