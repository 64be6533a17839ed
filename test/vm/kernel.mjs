// Debian's packaged kernel, unpacked and not installed, with its modules decompressed and in the order of loading.
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { cached } from './cache.mjs';

const META = 'linux-image-6.12-amd64';
const DRIVERS = ['vgem', 'virtio-gpu', 'bochs', 'vivid'];
/** One camera node and nothing else. */
const PARAMETERS = { vivid: 'n_devs=1 node_types=0x1' };

const run = (program, args, options = {}) =>
  execFileSync(program, args, { encoding: 'utf8', maxBuffer: 1 << 28, ...options });

/** @returns {string} a directory with `vmlinuz`, `modules/*.ko` and `modules/order` */
export function fetchKernel() {
  const name = /linux-image-6\.12\S+/.exec(
    run('apt-cache', ['depends', META]).split('\n').slice(1).join('\n'),
  )?.[0];
  if (name === undefined)
    throw new Error(`apt knows no ${META}: apt-get update, with Debian's security archive`);
  const version = /Candidate: (\S+)/.exec(run('apt-cache', ['policy', name]))?.[1] ?? '';
  return cached('kernel', [name, version, readFileSync(fileURLToPath(import.meta.url))], (directory) => {
    process.stdout.write(`fetching ${name} ${version}\n`);
    run('apt-get', ['download', name], { cwd: directory, stdio: 'pipe' });
    const tree = join(directory, 'tree');
    const [deb] = readdirSync(directory).filter((file) => file.endsWith('.deb'));
    run('dpkg', ['-x', join(directory, deb), tree]);
    rmSync(join(directory, deb));
    const [release] = readdirSync(join(tree, 'lib/modules'));
    copyFileSync(join(tree, 'boot', `vmlinuz-${release}`), join(directory, 'vmlinuz'));
    copyModules(tree, release, join(directory, 'modules'));
    rmSync(tree, { recursive: true });
  });
}

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
    return `${plain} ${PARAMETERS[plain.replace(/\.ko$/, '')] ?? ''}`.trim();
  });
  writeFileSync(join(to, 'order'), `${order.join('\n')}\n`);
}
