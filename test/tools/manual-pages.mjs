// The manual pages of the package. Their sources lie beside what they describe, and the build puts all of them into one
// folder, with that of the D-Bus interface, which it makes.
import { readdirSync } from 'node:fs';
import { basename } from 'node:path';

const FOLDERS = ['client/man', 'policy', 'systemd'];
const MADE = ['org.dmabroker1.5'];
export const BUILT_FOLDER = 'dist/man';

/** @param {string} root with a slash at its end @returns {string[]} paths from there */
export const manualSources = (root) =>
  FOLDERS.flatMap((folder) =>
    readdirSync(root + folder)
      .filter((name) => /\.[1-8]$/.test(name))
      .map((name) => `${folder}/${name}`),
  );

/** @param {string} root with a slash at its end @returns {string[]} paths from there, of what the build makes */
export const manualPages = (root) =>
  [...manualSources(root).map((path) => basename(path)), ...MADE].map((name) => `${BUILT_FOLDER}/${name}`);
