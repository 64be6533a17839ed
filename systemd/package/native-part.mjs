// The native part of koffi for this machine: koffi brings one for each architecture and C library, and the sources of it.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Copies the part that koffi's author built.
 * @param {string} checkout @param {string} to file
 */
export function copyNativePart(checkout, to) {
  const directory = join(checkout, `node_modules/@koromix/koffi-linux-${process.arch}`);
  const glibc = process.report.getReport().header.glibcVersionRuntime !== undefined;
  const prefix = glibc ? 'linux_' : 'musl_';
  const variants = readdirSync(directory).filter((name) => name.startsWith(prefix));
  if (variants.length !== 1)
    throw new Error(
      `koffi has ${variants.length} native parts for this machine in ${directory}; one is needed (or --build-native)`,
    );
  cpSync(join(directory, variants[0], 'koffi.node'), to);
}

/**
 * Builds it from the sources in koffi's package, which needs cmake, make or ninja, and a C and a C++ compiler, and no network.
 * @param {string} checkout @param {string} to file
 */
export function buildNativePart(checkout, to) {
  const directory = mkdtempSync(join(tmpdir(), 'dmabroker-koffi-'));
  try {
    // A copy, because the build writes beside the sources.
    cpSync(join(checkout, 'node_modules/koffi'), directory, { recursive: true });
    const args = ['cnoke.cjs', '--package', '.', '--directory', 'src/koffi', '--release'];
    execFileSync(process.execPath, args, { cwd: directory, stdio: ['ignore', 'ignore', 'inherit'] });
    const built = readdirSync(join(directory, 'build'), { recursive: true }).filter((path) =>
      /(?:^|\/)koffi\.node$/.test(path),
    );
    if (built.length === 0) throw new Error('the build of koffi made no koffi.node');
    cpSync(join(directory, 'build', built[0]), to);
  } finally {
    rmSync(directory, { recursive: true });
  }
}
