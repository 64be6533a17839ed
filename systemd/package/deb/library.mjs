// Makes libdmabroker0 and libdmabroker-dev of what the library's build installs.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { buildLibrary } from '../library.mjs';
import { Tree } from '../tree.mjs';
import { changelog, compressed } from './debian-tree.mjs';

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const FILE = 0o644;
const KIB = 1024;

/** What goes into the package that programs are built with. */
const isForBuilding = (path) => /\.(?:h|pc|so)$/.test(path);

/**
 * @param {{ checkout: string, version: string, architecture: string, maintainer: string, time: number, to: string }} what
 * @returns {readonly string[]} the packages' files
 */
export function libraryPackages(what) {
  const { checkout, version, maintainer, time } = what;
  const stage = mkdtempSync(join(tmpdir(), 'dmabroker-libdeb-'));
  try {
    const multiarch = execFileSync('dpkg-architecture', ['-qDEB_HOST_MULTIARCH'], {
      encoding: 'utf8',
    }).trim();
    const packages = ['libdmabroker0', 'libdmabroker-dev'].map((name) => {
      const root = join(stage, 'debian', name);
      mkdirSync(root, { recursive: true });
      return { name, root, tree: new Tree(root, time) };
    });
    const [shared, development] = packages;
    buildLibrary({ checkout, prefix: '/usr', libdir: `lib/${multiarch}` }, (path, { contents, target }) => {
      const { tree } = isForBuilding(path) ? development : shared;
      if (target === undefined) tree.write(path, contents, FILE);
      else tree.link(path, target);
    });
    const library = `usr/lib/${multiarch}/libdmabroker.so.0`;
    shared.tree.write('DEBIAN/symbols', symbols(checkout), FILE);
    shared.tree.write('DEBIAN/shlibs', 'libdmabroker 0 libdmabroker0\n', FILE);
    shared.tree.write('DEBIAN/triggers', 'activate-noawait ldconfig\n', FILE);
    // dpkg-shlibdeps recognises the package by its DEBIAN directory.
    const depends = neededBy(join(shared.root, library), stage);
    return packages.map(({ name, root, tree }) => {
      tree.write(`usr/share/doc/${name}/copyright`, readFileSync(join(checkout, 'LICENSE')), FILE);
      tree.write(
        `usr/share/doc/${name}/changelog.gz`,
        compressed(changelog(version, maintainer, time)),
        FILE,
      );
      return packed({ ...what, name, root, tree, depends });
    });
  } finally {
    rmSync(stage, { recursive: true });
  }
}

/** Packages that a library needs at run time, as dpkg finds them from its symbols. */
function neededBy(library, stage) {
  writeFileSync(
    join(stage, 'debian/control'),
    'Source: dmabroker\n\nPackage: libdmabroker0\nArchitecture: any\n',
  );
  const said = execFileSync('dpkg-shlibdeps', ['-O', `-e${library}`], {
    cwd: stage,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return said.replace(/^shlibs:Depends=/, '').trim();
}

/** Every function came with the first version. A later one gets the version that it comes with. */
function symbols(checkout) {
  const map = readFileSync(join(checkout, 'client/c/libdmabroker.map'), 'utf8');
  const names = [...map.matchAll(/^\t(dmabroker_\w+);$/gm)].map(([, name]) => name);
  return [
    'libdmabroker.so.0 libdmabroker0',
    ...['LIBDMABROKER_0', ...names].map((name) => ` ${name}@LIBDMABROKER_0 0.1.0`),
    '',
  ].join('\n');
}

function packed({ name, root, tree, depends, version, architecture, maintainer, time, to }) {
  const files = readdirSync(root, { recursive: true })
    .filter((path) => !path.startsWith('DEBIAN'))
    .sort();
  const plain = files.filter((path) => lstatSync(join(root, path)).isFile());
  const size = plain.reduce((sum, path) => sum + Math.ceil(lstatSync(join(root, path)).size / KIB), 0);
  const values = {
    VERSION: version,
    ARCHITECTURE: architecture,
    MAINTAINER: maintainer,
    INSTALLED_SIZE: size,
    DEPENDS: depends,
  };
  const control = readFileSync(here(`${name}.control`), 'utf8');
  const md5 = (path) =>
    createHash('md5')
      .update(readFileSync(join(root, path)))
      .digest('hex');
  tree.write(
    'DEBIAN/control',
    control.replaceAll(/@([A-Z_]+)@/g, (_, key) => values[key]),
    FILE,
  );
  tree.write('DEBIAN/md5sums', plain.map((path) => `${md5(path)}  ${path}\n`).join(''), FILE);
  tree.finish();
  const file = join(to, `${name}_${version}_${architecture}.deb`);
  const env = { ...process.env, SOURCE_DATE_EPOCH: String(time), DPKG_DEB_THREADS_MAX: '1' };
  execFileSync('dpkg-deb', ['--root-owner-group', '-Zxz', '--build', root, file], { env });
  return file;
}
