// Which declaration files a program's compiler reads that imports the library.
import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

/**
 * @param {string} entry
 * @param {string} base directory that they are named from
 * @returns {readonly string[]} the entry, and whatever it imports of the same build
 */
export function declarationsOf(entry, base) {
  const seen = new Set();
  const follow = (file) => {
    if (seen.has(file)) return;
    seen.add(file);
    const text = readFileSync(file, 'utf8');
    for (const [, path] of text.matchAll(/(?:from |import\()['"](\.{1,2}\/[^'"]+)\.js['"]/g))
      follow(join(dirname(file), `${path}.d.ts`));
  };
  follow(entry);
  return [...seen].map((file) => relative(base, file)).sort();
}
