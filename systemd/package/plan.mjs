// What the table of layout.mjs comes to in this checkout.
import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';

import { FILES, PLACES } from './layout.mjs';

const MODE = 0o644;

/**
 * @param {string} checkout
 * @param {Partial<typeof PLACES>} places where a distribution has them elsewhere
 * @returns {readonly { from: string, to: string, mode: number }[]} from the checkout to below the prefix, sorted
 * @throws {Error} when two files would come to the same place
 */
export function planOf(checkout, places = {}) {
  const known = { ...PLACES, ...places };
  const taken = new Map();
  const targets = new Map();
  for (const { from, to, as = (name) => name, mode = MODE } of FILES) {
    const directory = to.replace(/\{(\w+)\}/g, (_, place) => known[place]);
    for (const [file, below] of matches(checkout, from)) {
      if (taken.has(file)) continue;
      const target = join(directory, dirname(below), as(basename(below)));
      const other = targets.get(target);
      if (other !== undefined) throw new Error(`${other} and ${file} would both be ${target}`);
      targets.set(target, file);
      taken.set(file, { from: file, to: target, mode });
    }
  }
  return [...taken.values()].sort((a, b) => (a.to < b.to ? -1 : 1));
}

/** Files that a pattern means, each with its path below the pattern's directory. */
function matches(checkout, pattern) {
  const directory = dirname(pattern);
  const name = basename(pattern);
  const whole = join(checkout, directory);
  if (statSync(whole, { throwIfNoEntry: false }) === undefined) return [];
  const shape = new RegExp(`^${name.replaceAll('.', '\\.').replaceAll('*', '.*')}$`);
  const found =
    name === '**' ? filesBelow(whole) : filesBelow(whole, { deep: false }).filter((file) => shape.test(file));
  return found.map((below) => [join(directory, below), below]);
}

function filesBelow(directory, { deep = true } = {}) {
  return readdirSync(directory, { withFileTypes: true, recursive: deep })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(directory, join(entry.parentPath ?? entry.path, entry.name)))
    .sort();
}
