// Compiles the TypeScript to dist/, makes the two programs executable, and puts the manual pages into
// one folder, with org.dmabroker1(5), which is made of the XML. `--programs` leaves
// out what only development needs, and with it the packages that this takes.
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { BUILT_FOLDER, manualSources } from './manual-pages.mjs';

const root = new URL('../../', import.meta.url);
const at = (path) => fileURLToPath(new URL(path, root));
process.stderr.write('building…\n');
const { values } = parseArgs({ options: { programs: { type: 'boolean', default: false } } });
const config = at(values.programs ? 'tsconfig.package.json' : 'tsconfig.json');
execFileSync(process.execPath, [at('node_modules/typescript/bin/tsc'), '-p', config], { stdio: 'inherit' });
// What dist/test runs with is JavaScript already, or is compiled when it runs.
const asIs = ['tools/ensure.mjs', 'tools/collect-on-signal.mjs', 'bench/compile.mjs', 'bench/c'];
for (const path of values.programs ? [] : asIs)
  cpSync(at(`test/${path}`), at(`dist/test/${path}`), { recursive: true });
for (const bin of ['dist/daemon/main.js', 'dist/client/cli/main.js']) chmodSync(at(bin), 0o755);

const { interfaceManual } = await import(at('dist/test/tools/manual/interface.js'));
rmSync(at(BUILT_FOLDER), { recursive: true, force: true });
mkdirSync(at(BUILT_FOLDER), { recursive: true });
for (const page of manualSources(at(''))) cpSync(at(page), at(`${BUILT_FOLDER}/${basename(page)}`));
writeFileSync(
  at(`${BUILT_FOLDER}/org.dmabroker1.5`),
  interfaceManual(readFileSync(at('dbus/org.dmabroker1.xml'), 'utf8')),
);
