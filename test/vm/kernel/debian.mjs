// Debian's packaged kernel with its modules decompressed, the modules that Debian does not build beside them, and all of
// them in the order of loading.
import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { cached } from '../cache.mjs';
import { kernelPackages, run, unpack, unpackSource } from './packages.mjs';

const DRIVERS = ['virtio_blk', 'vgem', 'virtio-gpu', 'bochs', 'vivid', 'vkms', 'vim2m'];

/** What Debian leaves out: the makefile that builds it out of the kernel's tree, and the files that it takes. */
const BESIDE = {
  vkms: { sources: ['drivers/gpu/drm/vkms'], variables: ['CONFIG_DRM_VKMS=m'] },
  vim2m: {
    sources: ['drivers/media/test-drivers/vim2m.c', 'drivers/media/v4l2-core/v4l2-mem2mem.c'],
    makefile: 'obj-m := v4l2-mem2mem.o vim2m.o\nccflags-y := -DCONFIG_V4L2_MEM2MEM_DEV_MODULE=1\n',
    variables: [],
  },
};

const own = (file) => readFileSync(fileURLToPath(new URL(file, import.meta.url)));

/** @returns {string} a directory with `vmlinuz`, `modules/*.ko` and `modules/order` */
export function debianKernel() {
  const packages = kernelPackages();
  const parts = [packages.image, packages.version, own('debian.mjs'), own('packages.mjs')];
  return cached('debian', parts, (directory) => {
    const work = join(directory, 'work');
    const tree = join(work, 'image');
    unpack([packages.image], tree);
    copyFileSync(join(tree, 'boot', `vmlinuz-${packages.release}`), join(directory, 'vmlinuz'));
    buildBeside(packages, work, join(tree, 'lib/modules', packages.release, 'extra'));
    copyModules(tree, packages.release, join(directory, 'modules'));
    rmSync(work, { recursive: true });
  });
}

function buildBeside(packages, work, to) {
  const sources = Object.values(BESIDE).flatMap((module) => module.sources);
  const source = unpackSource(packages, join(work, 'source'), sources);
  const headers = join(work, 'headers');
  unpack(packages.headers, headers);
  const build = join(headers, 'usr/src', `linux-headers-${packages.release}`);
  // The packaged makefile names its own place on an installed system.
  const makefile = join(build, 'Makefile');
  writeFileSync(makefile, readFileSync(makefile, 'utf8').replace('/usr/src', join(headers, 'usr/src')));
  // With it, the build wants a tool for BTF that nothing here needs.
  rmSync(join(build, 'vmlinux'), { force: true });
  mkdirSync(to, { recursive: true });
  for (const [name, module] of Object.entries(BESIDE)) {
    process.stdout.write(`building ${name}\n`);
    const place = join(work, name);
    mkdirSync(place);
    for (const path of module.sources) run('cp', ['-rT', join(source, path), placeOf(place, path)]);
    if (module.makefile !== undefined) writeFileSync(join(place, 'Makefile'), module.makefile);
    run('make', ['-s', '-C', build, `M=${place}`, ...module.variables, 'modules'], { stdio: 'pipe' });
    for (const file of readdirSync(place).filter((file) => file.endsWith('.ko'))) {
      run('strip', ['-g', join(place, file)]);
      renameSync(join(place, file), join(to, file));
    }
  }
}

const placeOf = (place, path) => (path.endsWith('.c') ? join(place, basename(path)) : place);

function copyModules(tree, release, to) {
  mkdirSync(to);
  run('depmod', ['-b', tree, release]);
  const show = ['-d', tree, '-S', release, '--show-depends'];
  const lines = DRIVERS.flatMap((driver) => run('modprobe', [...show, driver]).split('\n'));
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
