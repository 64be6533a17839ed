// Checks the manual pages: mandoc finds nothing to warn of. Styles are left out, for they name pages that are installed
// together with these and not found in a checkout.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { ensure } from './ensure.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const pages = ['client/man', 'policy', 'dbus', 'systemd'].flatMap((folder) =>
  readdirSync(root + folder)
    .filter((name) => /\.[1-8]$/.test(name))
    .map((name) => `${folder}/${name}`),
);
if (pages.length === 0) throw new Error('there are no manual pages');
ensure(['mandoc']);
const { status, stdout, stderr } = spawnSync('mandoc', ['-T', 'lint', '-W', 'warning', ...pages], {
  cwd: root,
  encoding: 'utf8',
});
process.stdout.write(stdout + stderr);
process.stdout.write(`${pages.length} manual pages checked\n`);
process.exitCode = status ?? 1;
