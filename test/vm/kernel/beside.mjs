// Modules that Debian leaves out of its kernel, built against its headers.
import { chmodSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

import { run } from './apt.mjs';
import { unpack, unpackSource } from './packages.mjs';

/** The makefile that builds a module out of the kernel's tree, and the files that it takes. */
const BESIDE = {
  vkms: { sources: ['drivers/gpu/drm/vkms'], variables: ['CONFIG_DRM_VKMS=m'] },
  vim2m: {
    sources: ['drivers/media/test-drivers/vim2m.c', 'drivers/media/v4l2-core/v4l2-mem2mem.c'],
    makefile: 'obj-m := v4l2-mem2mem.o vim2m.o\nccflags-y := -DCONFIG_V4L2_MEM2MEM_DEV_MODULE=1\n',
    variables: [],
  },
};
/** For headers of another Debian, which name its compiler and use an option that older ones have in another spelling. */
const OUR_COMPILER = ['CC=gcc', 'CROSS_COMPILE=', 'CONFIG_CC_HAS_MIN_FUNCTION_ALIGNMENT='];
/** What the programs of another Debian's headers are linked with. */
const LIBRARIES = ['libc6', 'libelf1t64', 'zlib1g', 'libzstd1'];

/** @param {string} work for what is made on the way @param {string} to where the modules are put */
export function buildBeside(packages, work, to) {
  const sources = Object.values(BESIDE).flatMap((module) => module.sources);
  const source = unpackSource(packages, join(work, 'source'), sources);
  const headers = join(work, 'headers');
  unpack(packages.apt, packages.headers, headers);
  const build = join(headers, 'usr/src', `linux-headers-${packages.release}`);
  // The packaged makefile names places on an installed system.
  const makefile = join(build, 'Makefile');
  writeFileSync(makefile, readFileSync(makefile, 'utf8').replaceAll('/usr/src', join(headers, 'usr/src')));
  // With it, the build wants a tool for BTF that nothing here needs.
  rmSync(join(build, 'vmlinux'), { force: true });
  if (packages.isForeign) lendLibraries(packages.apt, work, join(headers, 'usr/lib'));
  mkdirSync(to, { recursive: true });
  for (const [name, module] of Object.entries(BESIDE)) {
    process.stdout.write(`building ${name}\n`);
    const place = join(work, name);
    mkdirSync(place);
    for (const path of module.sources) run('cp', ['-rT', join(source, path), placeOf(place, path)]);
    if (module.makefile !== undefined) writeFileSync(join(place, 'Makefile'), module.makefile);
    const variables = [...module.variables, ...(packages.isForeign ? OUR_COMPILER : [])];
    run('make', ['-s', '-C', build, `M=${place}`, ...variables, 'modules'], { stdio: 'pipe' });
    for (const file of readdirSync(place).filter((file) => file.endsWith('.ko'))) {
      run('strip', ['-g', join(place, file)]);
      renameSync(join(place, file), join(to, file));
    }
  }
}

const placeOf = (place, path) => (path.endsWith('.c') ? join(place, basename(path)) : place);

/** Has the programs below a directory start with libraries of their own Debian, because those of this one may be older. */
function lendLibraries(apt, work, directory) {
  const root = join(work, 'libraries');
  unpack(apt, LIBRARIES, root);
  const libraries = join(root, 'usr/lib/x86_64-linux-gnu');
  const loader = join(libraries, 'ld-linux-x86-64.so.2');
  const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  for (const { parentPath, path, name } of files) {
    const file = join(parentPath ?? path, name);
    if (readFileSync(file).subarray(0, 4).toString('latin1') !== '\x7fELF') continue;
    renameSync(file, `${file}.elf`);
    // Some find others beside them by the name that they were called by.
    const command = `'${loader}' --argv0 "$0" --library-path '${libraries}' '${file}.elf' "$@"`;
    writeFileSync(file, `#!/bin/sh\nexec ${command}\n`);
    chmodSync(file, 0o755);
  }
}
