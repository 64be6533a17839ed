// Checks the manual pages, with that which the build makes: neither mandoc nor man finds anything to warn of. Styles are
// left out, for they name pages that are installed together with these and not found in a checkout.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { ensure } from './ensure.mjs';
import { manualPages } from './manual-pages.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const pages = manualPages(root);
const absent = pages.filter((page) => !existsSync(root + page));
if (absent.length > 0) throw new Error(`not built: ${absent.join(' ')} (npm run build)`);
ensure(['mandoc', 'man-db']);

/** How a page is read where it is installed, as Debian's lintian does it. */
const MAN = {
  args: ['--warnings', '-E', 'UTF-8', '-l', '-Tutf8', '-Z'],
  env: { ...process.env, LC_ALL: 'C.UTF-8', MANROFFSEQ: '', MANWIDTH: '80' },
};
const complaints = pages.flatMap((page) => [
  said('mandoc', ['-T', 'lint', '-W', 'warning', page]),
  said('man', [...MAN.args, page], MAN.env),
]);
process.stdout.write(complaints.join(''));
process.stdout.write(`${pages.length} manual pages checked\n`);
process.exitCode = complaints.some((text) => text !== '') ? 1 : 0;

/** What a program has against a page; what man prints besides is the page itself. */
function said(program, args, env = process.env) {
  const { error, status, stdout, stderr } = spawnSync(program, args, { cwd: root, encoding: 'utf8', env });
  if (error !== undefined) return `${program}: ${error.message}\n`;
  const text = program === 'man' ? stderr : stdout + stderr;
  return status === 0 || text !== '' ? text : `${program} ${args.join(' ')} ended with ${status}\n`;
}
