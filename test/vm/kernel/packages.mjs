// Debian's packages of the kernel under test: which there are, and their contents, unpacked and not installed.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const SERIES = '6.12';
const META = `linux-image-${SERIES}-amd64`;

export const run = (program, args, options = {}) =>
  execFileSync(program, args, { encoding: 'utf8', maxBuffer: 1 << 28, ...options });

/** @returns {{ version: string, release: string, image: string, headers: readonly string[], source: string }} */
export function kernelPackages() {
  const release = withLists(releaseNow);
  const image = `linux-image-${release}`;
  const common = release.replace(/-amd64$/, '');
  return {
    version: /Candidate: (\S+)/.exec(run('apt-cache', ['policy', image]))?.[1] ?? '',
    release,
    image,
    headers: [`linux-headers-${release}`, `linux-headers-${common}-common`, `linux-kbuild-${common}`],
    source: `linux-source-${SERIES}`,
  };
}

function releaseNow() {
  const depends = run('apt-cache', ['depends', META], { stdio: 'pipe' });
  const release = new RegExp(String.raw`linux-image-(${SERIES}\.\S+-amd64)$`, 'm').exec(depends)?.[1];
  if (release === undefined)
    throw new Error(`apt knows no ${META}: is Debian's security archive among its sources?`);
  return release;
}

/** Tries again with new lists of packages, because a machine may have none, or those of versions that are gone. */
function withLists(attempt) {
  try {
    return attempt();
  } catch (error) {
    if (process.getuid?.() !== 0)
      throw new Error(`${error.message}\n(apt-get update may help)`, { cause: error });
    process.stdout.write('fetching the lists of packages\n');
    run('apt-get', ['-qq', 'update'], { stdio: 'pipe' });
    return attempt();
  }
}

/** Fetches packages and unpacks them below one directory. */
export function unpack(names, directory) {
  process.stdout.write(`fetching ${names.join(' ')}\n`);
  const debs = join(directory, 'debs');
  mkdirSync(debs, { recursive: true });
  withLists(() => run('apt-get', ['download', ...names], { cwd: debs, stdio: 'pipe' }));
  for (const deb of readdirSync(debs)) run('dpkg', ['-x', join(debs, deb), directory]);
  rmSync(debs, { recursive: true });
}

/** Unpacks the kernel's source, or the given parts of it, and says where it is. */
export function unpackSource({ source }, directory, parts = []) {
  unpack([source], directory);
  const from = join(directory, 'usr/src', `${source}.tar.xz`);
  run('tar', ['-xf', from, '-C', directory, ...parts.map((part) => `${source}/${part}`)]);
  rmSync(from);
  return join(directory, source);
}
