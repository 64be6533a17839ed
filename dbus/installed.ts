import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * What these files were installed with. In what a distribution packages another module stands in place of this one
 * (systemd/package/bundle.mjs), because the files lie elsewhere there.
 */

/** The package that the build puts this file into, as `dist/dbus/installed.js`. */
const PACKAGE = new URL('../../', import.meta.url);

const manifest = JSON.parse(readFileSync(new URL('package.json', PACKAGE), 'utf8')) as { version: string };

export const VERSION = manifest.version;

/** Directory with the policy that was shipped. */
export const SHIPPED_POLICY = fileURLToPath(new URL('policy', PACKAGE));
