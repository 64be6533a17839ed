// The native part of koffi for this machine: koffi brings one for each architecture and C library.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/** @param {string} checkout @returns {string} its file */
export function nativePart(checkout) {
  const directory = join(checkout, `node_modules/@koromix/koffi-linux-${process.arch}`);
  const glibc = process.report.getReport().header.glibcVersionRuntime !== undefined;
  const prefix = glibc ? 'linux_' : 'musl_';
  const variants = readdirSync(directory).filter((name) => name.startsWith(prefix));
  if (variants.length === 1) return join(directory, variants[0], 'koffi.node');
  throw new Error(
    `koffi has ${variants.length} native parts for this machine in ${directory}; one is needed`,
  );
}
