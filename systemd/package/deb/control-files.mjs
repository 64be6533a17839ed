// The package's own files: what dpkg reads, and what it runs when the package comes and goes.
import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { Tree } from '../tree.mjs';

const SCRIPTS = ['preinst', 'postinst', 'prerm', 'postrm'];
const KIB = 1024;

/**
 * Writes those of the service below the root that they describe.
 * @param {{ root: string, version: string, architecture: string, maintainer: string, homepage?: string, time: number }} what
 */
export function controlFiles({ root, homepage, time, ...values }) {
  const native = readFileSync(join(root, 'usr/lib/dmabroker/koffi.node'));
  const tree = new Tree(root, time);
  writeControl(tree, root, 'control', {
    ...values,
    GLIBC: newestGlibc(native),
    HOMEPAGE: homepage === undefined ? '' : `Homepage: ${homepage}\n`,
  });
  for (const script of SCRIPTS)
    tree.write(`DEBIAN/${script}`, filled(script, { VERSION: values.version }), 0o755);
  tree.finish();
}

/**
 * Writes what every package has: its description, and the sums of its files.
 * @param {Tree} tree of the root
 * @param {string} root with all files in it
 * @param {string} name of the template
 * @param {{ version: string, architecture: string, maintainer: string }} values and more, by their names in the template
 */
export function writeControl(tree, root, name, { version, architecture, maintainer, ...more }) {
  const files = readdirSync(root, { recursive: true })
    .filter((path) => !path.startsWith('DEBIAN') && lstatSync(join(root, path)).isFile())
    .sort();
  const size = files.reduce((sum, path) => sum + Math.ceil(lstatSync(join(root, path)).size / KIB), 0);
  const values = {
    VERSION: version,
    ARCHITECTURE: architecture,
    MAINTAINER: maintainer,
    INSTALLED_SIZE: size,
    ...more,
  };
  const sums = files.map((path) => `${md5(readFileSync(join(root, path)))}  ${path}\n`);
  tree.write('DEBIAN/control', filled(name, values), 0o644);
  tree.write('DEBIAN/md5sums', sums.join(''), 0o644);
}

function filled(name, values) {
  const text = readFileSync(fileURLToPath(new URL(name, import.meta.url)), 'utf8');
  return text.replaceAll(/@([A-Z_]+)@/g, (_, key) => values[key]);
}

const md5 = (bytes) => createHash('md5').update(bytes).digest('hex');

/** The newest version of glibc whose symbols a library asks for. */
function newestGlibc(library) {
  const versions = [...library.toString('latin1').matchAll(/GLIBC_2\.(\d+)/g)].map(([, minor]) =>
    Number(minor),
  );
  if (versions.length === 0) throw new Error('the native part asks for no glibc');
  return `2.${Math.max(...versions)}`;
}
