// Lays out what a package contains: `npm run install:system -- --destdir DIR --prefix /usr`.
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { LINKS, PLACES } from './layout.mjs';
import { buildLibrary, wants } from './library.mjs';
import { planOf } from './plan.mjs';
import { sourceTime } from './source-time.mjs';
import { Tree } from './tree.mjs';

const checkout = fileURLToPath(new URL('../../', import.meta.url));
const { values } = parseArgs({
  options: {
    // Put before every path, and said in no file.
    destdir: { type: 'string', default: '/' },
    prefix: { type: 'string', default: '/usr/local' },
    // What runs the programs: the path of node.
    node: { type: 'string', default: '/usr/bin/env node' },
    // Whether to build the C library: yes, no, or auto (if a C toolchain is installed); and its directory below the prefix.
    library: { type: 'string', default: 'auto' },
    libdir: { type: 'string', default: 'lib' },
    // Whether to build the GStreamer element besides.
    gstreamer: { type: 'string', default: 'auto' },
    ...Object.fromEntries(Object.keys(PLACES).map((place) => [place, { type: 'string' }])),
  },
});
const { destdir, prefix, node, library, libdir, gstreamer, ...places } = values;
if (!prefix.startsWith('/')) throw new Error(`--prefix is an absolute path; ${prefix} is not`);

const tree = new Tree(resolve(destdir), sourceTime(checkout));
const given = Object.fromEntries(Object.entries(places).filter(([, place]) => place !== undefined));
for (const { from, to, mode } of planOf(checkout, given))
  tree.write(join(prefix, to), contentsOf(join(checkout, from), to), mode);
for (const [path, target] of Object.entries(LINKS)) tree.link(join(prefix, path), target);
if (wants('library', library))
  buildLibrary(
    { checkout, prefix, libdir, gstreamer: wants('gstreamer', gstreamer) },
    (path, { contents, target }) => {
      if (target === undefined) tree.write(path, contents, 0o644);
      else tree.link(path, target);
    },
  );
tree.finish();

/** As it is in the checkout, but for paths that it names. */
function contentsOf(file, to) {
  const bytes = readFileSync(file);
  if (/^#!.*\n/.test(bytes.toString('latin1', 0, 256)))
    return Buffer.concat([Buffer.from(`#!${node}\n`), bytes.subarray(bytes.indexOf('\n') + 1)]);
  if (!to.startsWith('lib/systemd/system/')) return bytes;
  return bytes.toString().replaceAll('/usr/bin/dmabrokerd', join(prefix, 'bin/dmabrokerd'));
}
