// Makes a Debian package of what is installed: `npm run package:deb`.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { wants } from '../library.mjs';
import { sourceTime } from '../source-time.mjs';
import { controlFiles } from './control-files.mjs';
import { asDebianHasIt } from './debian-tree.mjs';
import { libraryPackages } from './library.mjs';

const checkout = fileURLToPath(new URL('../../../', import.meta.url));
const manifest = JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8'));
const { values } = parseArgs({
  options: {
    // Of the package alone: what an upgrade is tried with.
    version: { type: 'string', default: manifest.version },
    to: { type: 'string', default: join(checkout, 'dist') },
    // Whether to build the C library: yes, no, or auto (if a C toolchain is installed).
    library: { type: 'string', default: 'auto' },
    // Whether to build the GStreamer element besides.
    gstreamer: { type: 'string', default: 'auto' },
    // Required by Debian: the packager's name, or the author in package.json.
    maintainer: {
      type: 'string',
      default: manifest.author ?? 'dmabroker maintainers <maintainers@dmabroker.example>',
    },
  },
});
const { version, maintainer } = values;
const time = sourceTime(checkout);
const env = { ...process.env, SOURCE_DATE_EPOCH: String(time), DPKG_DEB_THREADS_MAX: '1' };
const run = (program, args) => execFileSync(program, args, { encoding: 'utf8', env });

const hasLibrary = wants('library', values.library, [
  { command: ['dpkg-shlibdeps', '--version'], name: 'dpkg-dev' },
]);
const architecture = run('dpkg', ['--print-architecture']).trim();
const stage = mkdtempSync(join(tmpdir(), 'dmabroker-deb-'));
try {
  const root = join(stage, 'root');
  run(process.execPath, [
    join(checkout, 'systemd/package/install.mjs'),
    ...['--destdir', root, '--prefix', '/usr', '--node', '/usr/bin/node'],
    ...['--zsh', 'share/zsh/vendor-completions', '--library', 'no'],
  ]);
  asDebianHasIt({ root, checkout, version, maintainer, time });
  controlFiles({ root, version, architecture, maintainer, homepage: manifest.homepage, time });
  const file = join(resolve(values.to), `dmabroker_${version}_${architecture}.deb`);
  mkdirSync(values.to, { recursive: true });
  run('dpkg-deb', ['--root-owner-group', '-Zxz', '--build', root, file]);
  process.stdout.write(`${file}\n`);
  if (hasLibrary)
    for (const made of libraryPackages({
      checkout,
      gstreamer: wants('gstreamer', values.gstreamer),
      version,
      architecture,
      maintainer,
      time,
      to: resolve(values.to),
    }))
      process.stdout.write(`${made}\n`);
} finally {
  rmSync(stage, { recursive: true });
}
