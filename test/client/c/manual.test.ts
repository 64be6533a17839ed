import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { describe, expect, it } from 'vitest';

import { hasCompiler, LIBRARY } from './rig.js';

const header = readFileSync(`${LIBRARY}dmabroker.h`, 'utf8');
const code = header.replaceAll(/\/\*.*?\*\//gs, '');
const page = readFileSync(
  fileURLToPath(new URL('../../../client/man/libdmabroker.3', import.meta.url)),
  'utf8',
);

describe('libdmabroker(3)', () => {
  it('has the functions of the header, and explains each', () => {
    const declared = [...code.matchAll(/\b(dmabroker_\w+)\(/g)].map(([, name = '']) => name);
    const [synopsis = '', description = ''] = page.split('.Sh DESCRIPTION');
    const named = (text: string): readonly string[] =>
      [...text.matchAll(/\bFn (dmabroker_\w+)/g)].map(([, name = '']) => name);
    expect(named(synopsis).toSorted()).toEqual(declared.toSorted());
    const explained = new Set(named(description));
    // Said by their names, or beside one of their family.
    const plain = ['free', 'unmap', 'path', 'count'].map((word) => new RegExp(`_${word}$`));
    const missing = declared.filter((name) => !explained.has(name) && !plain.some((word) => word.test(name)));
    expect(missing).toEqual([]);
  });

  it('has the constants of the header', () => {
    const constants = new Set([...code.matchAll(/\bDMABROKER_[A-Z_]+\b/g)].map(([name]) => name));
    for (const inner of ['DMABROKER_H', 'DMABROKER_MAX_PLANES']) constants.delete(inner);
    for (const name of constants) expect(page).toContain(`.Dv ${name}`);
  });

  it('has the errors of the header', () => {
    const listed = [...header.matchAll(/^ \* {3}-(E\w+) /gm)].map(([, name = '']) => name);
    const described = [...page.matchAll(/^\.It Bq Er (E\w+)$/gm)].map(([, name = '']) => name);
    expect(listed.length).toBeGreaterThan(10);
    expect(described).toEqual(expect.arrayContaining(listed));
  });

  it.skipIf(!hasCompiler)('has an example that compiles', () => {
    const [, example = ''] = /^\.Bd -literal.*?\n(.*?)^\.Ed$/ms.exec(page) ?? [];
    execFileSync(
      'gcc',
      ['-std=c11', '-Wall', '-Wextra', '-Werror', `-I${LIBRARY}`, '-fsyntax-only', '-xc', '-'],
      {
        input: example.replaceAll('\\e', '\\'),
      },
    );
  });
});
