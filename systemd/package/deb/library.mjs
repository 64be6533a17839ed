// Makes libdmabroker0, libdmabroker-dev and gstreamer1.0-dmabroker of what the builds in C install.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { buildLibrary } from '../library.mjs';
import { Tree } from '../tree.mjs';
import { writeControl } from './control-files.mjs';
import { ownCopyright } from './copyright.mjs';
import { changelog, compressed } from './debian-tree.mjs';

const FILE = 0o644;
const SHARED = 'libdmabroker0';
const DEVELOPMENT = 'libdmabroker-dev';
const ELEMENT = 'gstreamer1.0-dmabroker';

function packageOf(path) {
  if (path.includes('/gstreamer-1.0/')) return ELEMENT;
  return /\.(?:h|pc|so)$/.test(path) ? DEVELOPMENT : SHARED;
}

/**
 * @param {{ checkout: string, gstreamer: boolean, version: string, architecture: string, maintainer: string, time: number, to: string }} what
 * @returns {readonly string[]} the packages' files
 */
export function libraryPackages(what) {
  const { checkout, gstreamer, version, maintainer, time } = what;
  const stage = mkdtempSync(join(tmpdir(), 'dmabroker-libdeb-'));
  try {
    const multiarch = execFileSync('dpkg-architecture', ['-qDEB_HOST_MULTIARCH'], {
      encoding: 'utf8',
    }).trim();
    const names = [SHARED, DEVELOPMENT, ...(gstreamer ? [ELEMENT] : [])];
    const packages = names.map((name) => {
      const root = join(stage, 'debian', name);
      // By it dpkg-shlibdeps recognises packages of our own.
      mkdirSync(join(root, 'DEBIAN'), { recursive: true });
      return { name, root, tree: new Tree(root, time), binaries: [] };
    });
    const where = { checkout, prefix: '/usr', libdir: `lib/${multiarch}`, gstreamer };
    buildLibrary(where, (path, { contents, target }) => {
      const { name, root, tree, binaries } = packages.find((each) => each.name === packageOf(path));
      if (target !== undefined) tree.link(path, target);
      else tree.write(path, contents, FILE);
      if (target === undefined && name !== DEVELOPMENT) binaries.push(join(root, path));
    });
    const { root: sharedRoot, tree: shared } = packages[0];
    shared.write('DEBIAN/symbols', symbols(checkout), FILE);
    shared.write('DEBIAN/shlibs', `libdmabroker 0 ${SHARED}\n`, FILE);
    shared.write('DEBIAN/triggers', 'activate-noawait ldconfig\n', FILE);
    const libraries = join(sharedRoot, 'usr/lib', multiarch);
    return packages.map(({ name, root, tree, binaries }) => {
      tree.write(`usr/share/doc/${name}/copyright`, ownCopyright(checkout), FILE);
      tree.write(
        `usr/share/doc/${name}/changelog.gz`,
        compressed(changelog(version, maintainer, time)),
        FILE,
      );
      const depends = binaries.length > 0 ? neededBy(binaries, libraries, stage) : '';
      return packed({ ...what, name, root, tree, depends });
    });
  } finally {
    rmSync(stage, { recursive: true });
  }
}

/** Packages that binaries need at run time, as dpkg finds them from their symbols. */
function neededBy(binaries, libraries, stage) {
  const control = [SHARED, ELEMENT].map((name) => `\nPackage: ${name}\nArchitecture: any\n`);
  writeFileSync(join(stage, 'debian/control'), ['Source: dmabroker\n', ...control].join(''));
  const args = ['-O', `-l${libraries}`, ...binaries.map((path) => `-e${path}`)];
  const said = execFileSync('dpkg-shlibdeps', args, {
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
    'libdmabroker.so.0 libdmabroker0 #MINVER#',
    ...['LIBDMABROKER_0', ...names].map((name) => ` ${name}@LIBDMABROKER_0 0.1.0`),
    '',
  ].join('\n');
}

function packed({ name, root, tree, depends, version, architecture, maintainer, time, to }) {
  const values = { version, architecture, maintainer, DEPENDS: depends };
  writeControl(tree, root, `${name}.control`, values);
  tree.finish();
  const file = join(to, `${name}_${version}_${architecture}.deb`);
  const env = { ...process.env, SOURCE_DATE_EPOCH: String(time), DPKG_DEB_THREADS_MAX: '1' };
  execFileSync('dpkg-deb', ['--root-owner-group', '-Zxz', '--build', root, file], { env });
  return file;
}
