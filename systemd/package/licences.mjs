// The licences of what others wrote and the bundle contains.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A package's directory at the beginning of a path. */
const PACKAGE = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/;
const NAMES = /^(licen[cs]e|copying|notice)(\.|$)/i;

/**
 * @typedef {{ name: string, texts: string[] }} Part what a package itself has of others
 * @typedef {{ name: string, version: string, license?: string, author?: string, directory: string, texts: string[], parts: Part[] }} Origin
 * a package of others, with its directory below the checkout and the texts of its licence
 */

/**
 * @param {string} checkout
 * @param {Iterable<string>} inputs paths below it
 * @returns {Origin[]}
 * @throws {Error} that names a package without a licence
 */
export function originsOf(checkout, inputs) {
  const directories = new Set();
  for (const input of inputs) {
    const directory = PACKAGE.exec(input)?.[0];
    if (directory !== undefined) directories.add(directory);
  }
  return [...directories].sort().map((directory) => originOf(checkout, directory));
}

/** @param {Origin[]} origins */
export const licences = (origins) =>
  ['What these programs contain of others, and under which terms.\n', ...origins.map(licenceOf)].join(
    `\n${'-'.repeat(78)}\n\n`,
  );

function originOf(checkout, directory) {
  const at = join(checkout, directory);
  const { name, version, license, author } = JSON.parse(readFileSync(join(at, 'package.json'), 'utf8'));
  const texts = licenceTexts(at);
  if (texts.length === 0) throw new Error(`${name} comes without its licence`);
  const by = typeof author === 'object' ? author.name : author;
  return { name, version, license, author: by, directory, texts, parts: partsOf(join(at, 'vendor')) };
}

function licenceOf({ name, version, license, texts, parts }) {
  const title = `${name} ${version} (${license ?? 'under the terms that follow'})`;
  const others = parts.flatMap((part) => [`${name} contains ${part.name}:`, ...part.texts]);
  return `${[title, ...texts, ...others].join('\n\n')}\n`;
}

const licenceTexts = (directory) =>
  readdirSync(directory)
    .filter((file) => NAMES.test(file))
    .sort()
    .map((file) => readFileSync(join(directory, file), 'utf8').trim());

/** Each has a directory of its own. */
const partsOf = (directory) =>
  existsSync(directory)
    ? readdirSync(directory)
        .sort()
        .map((name) => ({ name, texts: licenceTexts(join(directory, name)) }))
    : [];
