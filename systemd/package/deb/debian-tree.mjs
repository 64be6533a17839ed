// What Debian has otherwise than the table of layout.mjs: manual pages and change logs are compressed, and one file tells of
// all licences.
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { constants, gzipSync } from 'node:zlib';

import { Tree } from '../tree.mjs';
import { bundleCopyright } from './copyright.mjs';

const here = (name) => readFileSync(fileURLToPath(new URL(name, import.meta.url)), 'utf8');
const DOC = 'usr/share/doc/dmabroker';
const FILE = 0o644;

/**
 * @param {{ root: string, checkout: string, version: string, maintainer: string, time: number }} what
 * an installation, and what is said of it; time in seconds since 1970
 */
export function asDebianHasIt({ root, checkout, version, maintainer, time }) {
  const tree = new Tree(root, time);
  const manuals = join(root, 'usr/share/man');
  for (const page of filesBelow(manuals)) {
    tree.write(join('usr/share/man', `${page}.gz`), compressed(readFileSync(join(manuals, page))), FILE);
    rmSync(join(manuals, page));
  }
  tree.write(join(DOC, 'copyright'), bundleCopyright(checkout), FILE);
  rmSync(join(root, 'usr/share/licenses'), { recursive: true });
  tree.write(join(DOC, 'changelog.gz'), compressed(changelog(version, maintainer, time)), FILE);
  tree.write('usr/share/lintian/overrides/dmabroker', here('lintian-overrides'), FILE);
  tree.finish();
}

const filesBelow = (directory) =>
  readdirSync(directory, { recursive: true }).filter((file) => /\.\d$/.test(file));

export const compressed = (contents) => gzipSync(contents, { level: constants.Z_BEST_COMPRESSION });

export const changelog = (version, maintainer, time) =>
  [
    `dmabroker (${version}) unstable; urgency=medium`,
    '',
    '  * The history of the changes is in the repository.',
    '',
    ` -- ${maintainer}  ${new Date(time * 1000).toUTCString().replace('GMT', '+0000')}`,
    '',
  ].join('\n');
