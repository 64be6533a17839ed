// Makes a bundle of the build, in dist/bundle/ or where `--to` says: programs, library and policy in one directory of few
// files, which runs wherever it lies and needs nothing else but Node.js.
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { build } from 'esbuild';

import { declarationsOf } from './declarations.mjs';
import { licences, originsOf } from './licences.mjs';
import { buildNativePart, copyNativePart } from './native-part.mjs';
import { STAND_INS, standIns } from './stand-ins.mjs';

const checkout = fileURLToPath(new URL('../../', import.meta.url));
const dist = join(checkout, 'dist');
const { values } = parseArgs({
  options: {
    to: { type: 'string', default: join(dist, 'bundle') },
    // Builds koffi's native part from source instead of copying the binary that its author built.
    'build-native': { type: 'boolean', default: false },
  },
});
const bundle = resolve(values.to);

/** The daemon shares no file with the others, so that its start reads one. */
const PARTS = [
  { dmabrokerd: 'daemon/main.js' },
  { dmabrokerctl: 'client/cli/main.js', dmabroker: 'client/index.js' },
];

/** What the metafile does not name: the native part, and what esbuild itself writes between modules. */
const ALSO = ['node_modules/koffi/', 'node_modules/esbuild/'];

const { name, version, description, license, engines } = JSON.parse(
  readFileSync(join(checkout, 'package.json'), 'utf8'),
);

rmSync(bundle, { recursive: true, force: true });
mkdirSync(bundle, { recursive: true });
const inputs = new Set();
for (const part of PARTS) for (const input of await bundled(part)) inputs.add(input);

const takeNativePart = values['build-native'] ? buildNativePart : copyNativePart;
takeNativePart(checkout, join(bundle, STAND_INS.native));
const origins = originsOf(checkout, [...inputs, ...ALSO]);
writeFileSync(join(bundle, 'THIRD-PARTY-LICENSES'), licences(origins));
// For packages that want the same in a form of their own.
writeFileSync(join(bundle, 'origins.json'), `${JSON.stringify(origins, undefined, 2)}\n`);
for (const file of declarationsOf(join(dist, 'client/index.d.ts'), dist)) {
  const to = join(bundle, 'types', file);
  mkdirSync(dirname(to), { recursive: true });
  // Without the link to a source map that is not there.
  writeFileSync(to, readFileSync(join(dist, file), 'utf8').replace(/^\/\/# sourceMappingURL=.*\n?/m, ''));
}
for (const policy of ['dmabroker.conf', 'dmabroker.conf.d'])
  cpSync(join(checkout, 'policy', policy), join(bundle, policy), { recursive: true });
const manifest = {
  name,
  version,
  description,
  license,
  engines,
  type: 'module',
  exports: { '.': { types: './types/client/index.d.ts', default: './dmabroker.js' } },
};
writeFileSync(join(bundle, 'package.json'), `${JSON.stringify(manifest, undefined, 2)}\n`);

/** @param entries name to file below dist/ @returns what went into it, as paths below the checkout */
async function bundled(entries) {
  const { metafile } = await build({
    absWorkingDir: checkout,
    entryPoints: Object.entries(entries).map(([out, file]) => ({ in: join(dist, file), out })),
    outdir: bundle,
    chunkNames: `${Object.keys(entries)[0]}-[hash]`,
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    target: 'node20.11',
    // Names stay, because a stack trace in a log has no other.
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none',
    banner: {
      js: "import{createRequire as requireFrom}from'node:module';const require=requireFrom(import.meta.url);",
    },
    plugins: [standIns({ version })],
    metafile: true,
    logLevel: 'warning',
  });
  return Object.values(metafile.outputs).flatMap(({ inputs }) =>
    Object.entries(inputs).flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 0 ? [path] : [])),
  );
}
