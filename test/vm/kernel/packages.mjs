// Debian's packages of the kernel under test: which there are, and their contents, unpacked and not installed.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { configuredApt, newerApt, run } from './apt.mjs';

/** The series of the newest kernel that Debian packages in any suite. */
export const NEWEST = 'newest';

/**
 * @param {string} series such as `6.12`, or NEWEST
 * @returns {{ apt: import('./apt.mjs').Apt, version: string, release: string, image: readonly string[],
 * headers: readonly string[], source: string, isForeign: boolean }} `image` and `headers` are the packages that make up
 * each; foreign ones may be another Debian's than this machine's
 */
export function kernelPackages(series) {
  const found = known.get(series) ?? findPackages(series);
  known.set(series, found);
  return found;
}

/** Several scenarios have the same kernel, and apt takes seconds to answer. */
const known = new Map();

function findPackages(series) {
  const apt = series === NEWEST ? newerApt() : configuredApt();
  const release = apt.withLists(() => newestRelease(apt, series));
  const [image, headers] = [`linux-image-${release}`, `linux-headers-${release}`];
  const versions = apt.versions(image, headers);
  const of = (wanted) => versions.find(({ name }) => name === wanted) ?? { version: '', depends: [] };
  return {
    apt,
    version: of(image).version,
    release,
    // Since 7.3 the kernel and its modules have packages of their own.
    image: [image, ...of(image).depends.filter((name) => name.endsWith(`-${release}`))],
    headers: [headers, ...of(headers).depends.filter((name) => /^linux-(?:headers|kbuild)-/.test(name))],
    isForeign: series === NEWEST,
    source: `linux-source-${/^\d+\.\d+/.exec(release)?.[0] ?? series}`,
  };
}

/** The release that a package without a version in its name depends on, of the highest version. */
function newestRelease(apt, series) {
  const wanted = series === NEWEST ? String.raw`\d+` : series.replaceAll('.', String.raw`\.`);
  const pattern = new RegExp(String.raw`^linux-image-(${wanted}\.\S+-amd64)$`);
  const found = apt
    .versions('linux-image-amd64', `linux-image-${series}-amd64`)
    .map(({ version, depends }) => ({
      version,
      release: depends.flatMap((name) => pattern.exec(name)?.[1] ?? [])[0],
    }))
    .filter(({ release }) => release !== undefined);
  if (found.length === 0)
    throw new Error(
      `apt knows no kernel ${series} for amd64: is Debian's security archive among its sources?`,
    );
  return found.reduce((a, b) => (isLater(b.version, a.version) ? b : a)).release;
}

const isLater = (a, b) => spawnSync('dpkg', ['--compare-versions', a, 'gt', b]).status === 0;

/** Fetches packages and unpacks them below one directory. */
export function unpack(apt, names, directory) {
  process.stdout.write(`fetching ${names.join(' ')}\n`);
  const debs = join(directory, 'debs');
  mkdirSync(debs, { recursive: true });
  apt.withLists(() => apt.run('apt-get', ['download', ...names], { cwd: debs }));
  for (const deb of readdirSync(debs)) run('dpkg', ['-x', join(debs, deb), directory]);
  rmSync(debs, { recursive: true });
}

/** Unpacks the kernel's source, or the given parts of it, and says where it is. */
export function unpackSource({ apt, source }, directory, parts = []) {
  unpack(apt, [source], directory);
  const from = join(directory, 'usr/src', `${source}.tar.xz`);
  run('tar', ['-xf', from, '-C', directory, ...parts.map((part) => `${source}/${part}`)]);
  rmSync(from);
  return join(directory, source);
}
