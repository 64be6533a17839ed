// The licences of what others wrote and the bundle contains.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A package's directory at the beginning of a path. */
const PACKAGE = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/;
const NAMES = /^(licen[cs]e|copying|notice)(\.|$)/i;

/**
 * @param {string} checkout
 * @param {Iterable<string>} inputs paths below it
 * @returns {string} for each package what it is and the text of its licence
 * @throws {Error} that names a package without any
 */
export function licences(checkout, inputs) {
  const directories = new Set();
  for (const input of inputs) {
    const directory = PACKAGE.exec(input)?.[0];
    if (directory !== undefined) directories.add(directory);
  }
  const parts = [...directories].sort().map((directory) => licenceOf(join(checkout, directory)));
  return ['What these programs contain of others, and under which terms.\n', ...parts].join(
    `\n${'-'.repeat(78)}\n\n`,
  );
}

function licenceOf(directory) {
  const { name, version, license } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'));
  const texts = licenceTexts(directory);
  if (texts.length === 0) throw new Error(`${name} comes without its licence`);
  const title = `${name} ${version} (${license ?? 'under the terms that follow'})`;
  return `${[title, ...texts, ...vendored(name, join(directory, 'vendor'))].join('\n\n')}\n`;
}

const licenceTexts = (directory) =>
  readdirSync(directory)
    .filter((file) => NAMES.test(file))
    .sort()
    .map((file) => readFileSync(join(directory, file), 'utf8').trim());

/** What a package itself has of others, each in a directory of its own. */
const vendored = (name, directory) =>
  existsSync(directory)
    ? readdirSync(directory)
        .sort()
        .flatMap((other) => [`${name} contains ${other}:`, ...licenceTexts(join(directory, other))])
    : [];
