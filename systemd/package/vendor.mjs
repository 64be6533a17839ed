// Makes a tarball of the packages that a build needs, and of no others: `npm run vendor`. Unpacked in a checkout it is
// node_modules/, with which `npm run build:package` works without a network.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { sourceTime } from './source-time.mjs';

const checkout = fileURLToPath(new URL('../../', import.meta.url));
const read = (name) => JSON.parse(readFileSync(join(checkout, name), 'utf8'));
const { name, version, dependencies } = read('package.json');
const { values } = parseArgs({ options: { to: { type: 'string', default: join(checkout, 'dist') } } });

/** Besides what the programs run with: the compiler with the types of Node.js, and what makes the bundle. */
const FOR_THE_BUILD = ['typescript', '@types/node', 'esbuild'];

const directories = needed(read('package-lock.json').packages, [
  ...Object.keys(dependencies),
  ...FOR_THE_BUILD,
]);
const file = join(resolve(values.to), `${name}-${version}-vendor-linux-${process.arch}.tar.gz`);
mkdirSync(values.to, { recursive: true });
// The same bytes whenever it is made of the same packages.
const like = ['--sort=name', '--owner=0', '--group=0', '--numeric-owner', '--mode=go=rX,u+rw'];
execFileSync(
  'tar',
  [
    ...['--create', '--use-compress-program=gzip -n9', '--file', file, ...like],
    ...[`--mtime=@${sourceTime(checkout)}`, '--directory', checkout, ...directories],
  ],
  { stdio: 'inherit' },
);
process.stdout.write(`${file}\n`);

/**
 * @param packages of the lockfile, by directory
 * @param roots names of packages
 * @returns the directories of these and of all that they need, without those inside of others
 */
function needed(packages, roots) {
  const found = new Set();
  const wanted = roots.map((root) => ({ root, from: '', optional: false }));
  for (let next = wanted.pop(); next !== undefined; next = wanted.pop()) {
    const directory = resolved(packages, next.root, next.from);
    // Native parts for other machines are not installed.
    if (directory === undefined || !existsSync(join(checkout, directory))) {
      if (next.optional) continue;
      throw new Error(`${next.root} is not installed: npm ci`);
    }
    if (found.has(directory)) continue;
    found.add(directory);
    const { dependencies: hard = {}, optionalDependencies: soft = {} } = packages[directory];
    for (const root of Object.keys(hard)) wanted.push({ root, from: directory, optional: root in soft });
    for (const root of Object.keys(soft)) wanted.push({ root, from: directory, optional: true });
  }
  const inside = (directory) => [...found].some((other) => directory.startsWith(`${other}/`));
  return [...found].filter((directory) => !inside(directory)).sort();
}

/** Where Node.js finds a package from a directory. */
function resolved(packages, root, from) {
  for (let base = from; ; base = base.slice(0, Math.max(0, base.lastIndexOf('/node_modules/')))) {
    const directory = base === '' ? `node_modules/${root}` : `${base}/node_modules/${root}`;
    if (directory in packages) return directory;
    if (base === '') return undefined;
  }
}
