// Compiles the TypeScript to dist/ and makes the two programs executable.
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = new URL('../../', import.meta.url);
const at = (path) => fileURLToPath(new URL(path, root));
execFileSync(process.execPath, [at('node_modules/typescript/bin/tsc'), '-p', at('tsconfig.json')], {
  stdio: 'inherit',
});
// What dist/test runs with is JavaScript already, or is compiled when it runs.
const asIs = ['tools/ensure.mjs', 'tools/collect-on-signal.mjs', 'bench/compile.mjs', 'bench/c'];
for (const path of asIs) cpSync(at(`test/${path}`), at(`dist/test/${path}`), { recursive: true });
for (const bin of ['dist/daemon/main.js', 'dist/client/cli/main.js']) chmodSync(at(bin), 0o755);
