import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { LIMIT_TABLE } from '../../../dbus/limits.js';
import { TemporaryDirectory } from '../../integration/rig.js';
import { ensure } from '../../tools/ensure.mjs';
import { hasCompiler, LIBRARY } from './rig.js';

const read = (name: string): string => readFileSync(LIBRARY + name, 'utf8');
const header = read('dmabroker.h');
const sources = readdirSync(LIBRARY).filter((name) => name.endsWith('.c'));

/** Every function that the header declares. */
const declared = [...header.replaceAll(/\/\*.*?\*\//gs, '').matchAll(/\b(dmabroker_\w+)\(/g)]
  .map(([, name = '']) => name)
  .toSorted();

describe('the files of libdmabroker', () => {
  it('export what the header declares', () => {
    const exported = [...read('libdmabroker.map').matchAll(/^\t(dmabroker_\w+);$/gm)].map(([, name]) => name);
    expect(exported).toEqual(declared);
    expect(declared.length).toBeGreaterThan(35);
  });

  it('are all built', () => {
    const built = [...read('meson.build').matchAll(/^ {2}'(\w+\.c)',$/gm)].map(([, name]) => name);
    expect(built).toEqual(sources.toSorted());
  });

  it('are of the same version as everything else', () => {
    const { version } = JSON.parse(
      readFileSync(fileURLToPath(new URL('../../../package.json', import.meta.url)), 'utf8'),
    ) as { version: string };
    expect(read('meson.build')).toContain(`version: '${version}'`);
  });

  it('are short', () => {
    for (const name of sources) expect(read(name).split('\n').length, name).toBeLessThan(300);
  });

  it('name the limits of the contract with their types', () => {
    const rows = [...read('message.c').matchAll(/^\t\[DMABROKER_\w+\] = \{ "([\w-]+)", '(\w)' \},$/gm)];
    const table: Readonly<Record<string, { readonly type: string }>> = LIMIT_TABLE;
    expect(rows.length).toBe(14);
    for (const [, name = '', type] of rows) expect(table[name]?.type, name).toBe(type);
  });
});

const HEADER_FLAGS = ['-Wall', '-Wextra', '-Wpedantic', '-Werror', '-fsyntax-only', '-x'];
const compileHeader = (program: string, language: string, standard: string): void => {
  execFileSync(program, [`-std=${standard}`, ...HEADER_FLAGS, language, '-'], {
    input: `#include "${LIBRARY}dmabroker.h"\nint main() { return DMABROKER_PITCH_MULTIPLE; }\n`,
  });
};

describe.skipIf(!hasCompiler)('the header', () => {
  it('is C11', () => {
    compileHeader('gcc', 'c', 'c11');
  });

  it.skipIf(!ensure(['g++'], { optional: true }))('is C++17', () => {
    compileHeader('g++', 'c++', 'c++17');
  });
});

const hasMeson = hasCompiler && ensure(['meson'], { optional: true });

describe.skipIf(!hasMeson)('the shared object that meson builds', { timeout: 120_000 }, () => {
  const directory = new TemporaryDirectory();
  const build = join(directory.path, 'build');
  const root = join(directory.path, 'root');
  const output = (program: string, ...args: readonly string[]): string =>
    execFileSync(program, args, { encoding: 'utf8' });
  let library = '';
  beforeAll(() => {
    output(
      'meson',
      'setup',
      build,
      LIBRARY,
      '--prefix=/usr',
      '--libdir=lib',
      '--werror',
      '--buildtype=release',
    );
    output('meson', 'install', '-C', build, '--destdir', root);
    library = join(root, 'usr/lib/libdmabroker.so.0');
  }, 120_000);
  afterAll(() => {
    directory[Symbol.dispose]();
  });

  it('exports what the header declares, with a version', () => {
    const names = [...output('nm', '-D', '--defined-only', library).matchAll(/ T (\S+)$/gm)].map(
      ([, name]) => name,
    );
    expect(names.toSorted()).toEqual(declared.map((name) => `${name}@@LIBDMABROKER_0`));
  });

  it('is small, and needs nothing but libsystemd and libc', () => {
    expect(statSync(library).size).toBeLessThan(100_000);
    const dynamic = output('readelf', '-d', library);
    const needed = [...dynamic.matchAll(/\(NEEDED\).*\[(.*)\]/g)].map(([, name]) => name);
    expect(needed.toSorted()).toEqual(['libc.so.6', 'libsystemd.so.0']);
    expect(dynamic).toMatch(/SONAME.*\[libdmabroker\.so\.0\]/);
  });

  it('does not write to a terminal or end the process', () => {
    const used = output('nm', '-D', '--undefined-only', library);
    expect(used).not.toMatch(/ (?:abort|exit|_exit|stderr|stdout|perror|v?printf|puts|signal|sigaction)\b/);
  });

  it('has no variables', () => {
    const sections = output('readelf', '-SW', library);
    const size = (name: string): number =>
      Number.parseInt(new RegExp(`\\${name} +\\w+ +\\w+ \\w+ (\\w+)`).exec(sections)?.[1] ?? '', 16);
    // The compiler's own: a pointer to the object, and whether it was taken down.
    expect([size('.data'), size('.bss')]).toEqual([8, 8]);
  });

  it('is found by pkg-config', () => {
    const file = readFileSync(join(root, 'usr/lib/pkgconfig/dmabroker.pc'), 'utf8');
    expect(file).toMatch(/^Libs: .*-ldmabroker$/m);
    expect(file).toMatch(/^Requires\.private: libsystemd$/m);
  });
});
