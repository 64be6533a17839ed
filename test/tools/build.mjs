// Compiles the TypeScript to dist/ and makes the two programs executable.
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = new URL('../../', import.meta.url);
const at = (path) => fileURLToPath(new URL(path, root));
execFileSync(process.execPath, [at('node_modules/typescript/bin/tsc'), '-p', at('tsconfig.json')], {
  stdio: 'inherit',
});
// Programs that dist/test runs with are JavaScript already.
for (const file of ['ensure.mjs', 'collect-on-signal.mjs'])
  cpSync(at(`test/tools/${file}`), at(`dist/test/tools/${file}`));
for (const bin of ['dist/daemon/main.js', 'dist/client/cli/main.js']) chmodSync(at(bin), 0o755);
