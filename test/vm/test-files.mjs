// Which compiled tests a scenario has.
import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const SOURCE = '.test.ts';

/**
 * Goes by the sources, because what was compiled from one that is gone by now may still lie in dist/.
 * @param {string} directory below test/vm
 * @param {string} part of the names of the files that are wanted; empty for all
 * @returns {readonly string[]} names without suffix, of dist/test/vm/DIRECTORY/NAME.test.js
 */
export function testFiles(directory, part) {
  const sources = fileURLToPath(new URL(`${directory}/`, import.meta.url));
  if (!existsSync(sources)) return [];
  return readdirSync(sources)
    .filter((file) => file.endsWith(SOURCE))
    .map((file) => file.slice(0, -SOURCE.length))
    .filter((name) => name.includes(part))
    .sort();
}
