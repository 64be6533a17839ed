// The copyright file in Debian's machine-readable form (DEP-5).
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const FORMAT = 'https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/';
/** A line that says whose something is, and not one that speaks of such lines or leaves the year open. */
const HOLDER = /^\W*(?:copyright\b|\(c\)|©)[^[]*\d{4}.*$/gim;
const INTRODUCTION = /^\W*copyright\s*(?:(?:\(c\)|©)\s*)?|^\W*(?:\(c\)|©)\s*/i;

/** Licences that every Debian has are named and not repeated (Debian Policy, 12.5). */
const COMMON = { 'Apache-2.0': ' On Debian systems its text is in /usr/share/common-licenses/Apache-2.0.' };

/**
 * @param {string} checkout with its bundle
 * @returns {string}
 * @throws {Error} that names a package of unknown terms
 */
export function bundleCopyright(checkout) {
  const origins = JSON.parse(readFileSync(join(checkout, 'dist/bundle/origins.json'), 'utf8'));
  const others = origins.flatMap(({ name, license, author, directory, texts, parts }) => [
    stanza({ files: `${directory}/*`, name, license, author, texts }),
    ...parts.map((part) => stanza({ files: `${directory}/vendor/${part.name}/*`, ...part })),
  ]);
  return fileOf(
    checkout,
    ['Comment: What the others below wrote is compiled into the files below', ' /usr/lib/dmabroker.'],
    others,
  );
}

/** @param {string} checkout @returns {string} of a package with nothing of others in it */
export const ownCopyright = (checkout) => fileOf(checkout, [], []);

function fileOf(checkout, comment, others) {
  const own = { files: '*', name: 'dmabroker', texts: [readFileSync(join(checkout, 'LICENSE'), 'utf8')] };
  const head = [`Format: ${FORMAT}`, 'Upstream-Name: dmabroker', ...comment].join('\n');
  return `${[head, stanza(own), ...others].join('\n\n')}\n`;
}

function stanza({ files, name, license, author, texts }) {
  const text = texts.join('\n\n').trim();
  const short = shortName(text) ?? license;
  const said = [...text.matchAll(HOLDER)].map(([line]) => line.replace(INTRODUCTION, '').trim());
  const holders = said.length > 0 ? said : [author ?? `the authors of ${name}`];
  if (short === undefined) throw new Error(`${name} does not say under which terms it is`);
  return [
    `Files: ${files}`,
    `Copyright: ${[...new Set(holders)].join('\n ')}`,
    `License: ${short}`,
    COMMON[short] ?? folded(text),
  ].join('\n');
}

/** Debian's short name, by the words of the licence. */
function shortName(text) {
  if (/^\s*Apache License\s+Version 2\.0/m.test(text)) return 'Apache-2.0';
  return text.includes('Permission is hereby granted, free of charge') ? 'Expat' : undefined;
}

/** As the body of a field. */
const folded = (text) =>
  text
    .split('\n')
    .map((line) => (line.trim() === '' ? ' .' : ` ${line.trimEnd()}`))
    .join('\n');
