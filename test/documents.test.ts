import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Files and directories of this repository that a document names in backticks: those below one of its directories. */
function named(document: string): readonly string[] {
  const text = readFileSync(`${root}/${document}`, 'utf8');
  const places = /`((?:daemon|client|dbus|policy|systemd|test|examples)\/[\w./-]*)`/g;
  return [...text.matchAll(places)].map(([, path = '']) => path);
}

test.each(['ARCHITECTURE.md', 'CONTRIBUTING.md'])('%s names files that exist', (document) => {
  const paths = named(document);
  expect(paths).not.toEqual([]);
  expect(paths.filter((path) => !existsSync(`${root}/${path}`))).toEqual([]);
});
