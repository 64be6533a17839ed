// Modules that others stand in for in the bundle, because its files lie elsewhere or because they are not needed.

/** Where the bundle has them, beside its programs. */
export const STAND_INS = { native: 'koffi.node' };

const NAMESPACE = 'stand-in';

/** Which modules, by what is imported and from where, and the text that each is replaced by. */
const modules = ({ version }) => [
  {
    // dbus/installed.ts: a package has its policy in the directory of its programs, as daemon/policy/files.ts looks there.
    filter: /\/dbus\/installed\.js$|^(\.\.?\/)+installed\.js$/,
    contents: [
      "import { fileURLToPath } from 'node:url';",
      `export const VERSION = ${JSON.stringify(version)};`,
      "export const SHIPPED_POLICY = fileURLToPath(new URL('.', import.meta.url));",
    ].join('\n'),
  },
  {
    // koffi itself looks for its native part in every place where a bundler may have put it.
    filter: /^koffi$/,
    contents: [
      "import { createRequire } from 'node:module';",
      `export default createRequire(import.meta.url)('./${STAND_INS.native}');`,
    ].join('\n'),
  },
  {
    // dbus-next makes one of each, for introspection of a kind that we have no use for.
    filter: /^xml2js$/,
    contents: 'export class Builder {}\nexport class Parser {}',
  },
  {
    // commander starts programs for subcommands that are files of their own: ours are not, and the daemon starts none.
    filter: /^node:child_process$/,
    importer: /\/node_modules\/commander\//,
    contents: 'export {};',
  },
  {
    // systeminformation starts programs in functions that are never called; here it could not.
    filter: /^child_process$/,
    importer: /\/node_modules\/systeminformation\//,
    contents: 'export {};',
  },
  {
    // pino's worker threads, which write elsewhere than we do.
    filter: /^thread-stream$/,
    contents: 'export {};',
  },
];

/** @param {{ version: string }} facts @returns {import('esbuild').Plugin} */
export const standIns = (facts) => ({
  name: 'stand-ins',
  setup(build) {
    modules(facts).forEach(({ filter, importer = /./, contents }, index) => {
      const path = `${NAMESPACE}-${index}`;
      build.onResolve({ filter }, (request) =>
        importer.test(request.importer) ? { path, namespace: NAMESPACE } : undefined,
      );
      build.onLoad({ filter: new RegExp(`^${path}$`), namespace: NAMESPACE }, () => ({ contents }));
    });
  },
});
