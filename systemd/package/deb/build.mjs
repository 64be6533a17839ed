// Makes a Debian package of what is installed: `npm run package:deb`.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { sourceTime } from '../source-time.mjs';
import { controlFiles } from './control-files.mjs';
import { asDebianHasIt } from './debian-tree.mjs';

const checkout = fileURLToPath(new URL('../../../', import.meta.url));
const manifest = JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8'));
const { values } = parseArgs({
  options: {
    // Of the package alone: what an upgrade is tried with.
    version: { type: 'string', default: manifest.version },
    to: { type: 'string', default: join(checkout, 'dist') },
    // Debian wants one; who packages it names itself, or package.json has an author.
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

const architecture = run('dpkg', ['--print-architecture']).trim();
const stage = mkdtempSync(join(tmpdir(), 'dmabroker-deb-'));
try {
  const root = join(stage, 'root');
  run(process.execPath, [
    join(checkout, 'systemd/package/install.mjs'),
    ...['--destdir', root, '--prefix', '/usr', '--node', '/usr/bin/node'],
    ...['--zsh', 'share/zsh/vendor-completions'],
  ]);
  asDebianHasIt({ root, checkout, version, maintainer, time });
  controlFiles({ root, version, architecture, maintainer, homepage: manifest.homepage, time });
  const file = join(resolve(values.to), `dmabroker_${version}_${architecture}.deb`);
  mkdirSync(values.to, { recursive: true });
  run('dpkg-deb', ['--root-owner-group', '-Zxz', '--build', root, file]);
  process.stdout.write(`${file}\n`);
} finally {
  rmSync(stage, { recursive: true });
}
