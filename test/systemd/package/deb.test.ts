import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { run, TemporaryDirectory } from '../../integration/rig.js';
import { ensure, hasProgram, LIBRARY_TOOLS } from '../../tools/ensure.mjs';

const here = (path: string): string => fileURLToPath(new URL(`../../../${path}`, import.meta.url));

// It makes packages of Debian's, so that the tests of them are run where those are at home.
const isDebian = hasProgram('dpkg-deb');
const canCheck = isDebian && ensure(['lintian'], { optional: true });

/** Milliseconds: what it runs compresses, and checks. */
const PATIENCE = 60_000;

/** @returns the package's file */
const build = async (directory: string, ...args: readonly string[]): Promise<string> =>
  (await buildAll(directory, '--library', 'no', ...args))[0] ?? '';

/** @returns the packages' files */
async function buildAll(directory: string, ...args: readonly string[]): Promise<readonly string[]> {
  if (!existsSync(here('dist/bundle'))) throw new Error('there is no bundle: npm run bundle');
  const made = await run(
    process.execPath,
    [here('systemd/package/deb/build.mjs'), '--to', directory, ...args],
    2 * PATIENCE,
  );
  expect(made).toMatchObject({ code: 0, stderr: '' });
  return made.stdout.trim().split('\n');
}

describe.skipIf(!isDebian)('the Debian package', () => {
  const directory = new TemporaryDirectory();
  let file = '';
  const field = async (of: string, name: string): Promise<string> =>
    (await run('dpkg-deb', ['--field', of, name])).stdout.trim();

  beforeAll(async () => {
    file = await build(directory.path);
  }, PATIENCE);
  afterAll(() => {
    directory[Symbol.dispose]();
  });

  it('is the same file when it is made again', { timeout: PATIENCE }, async () => {
    const again = await build(join(directory.path, 'again'));
    expect(readFileSync(again).equals(readFileSync(file))).toBe(true);
  });

  it('has the version of what it is made of, or one that is asked for', { timeout: PATIENCE }, async () => {
    const { version } = JSON.parse(readFileSync(here('package.json'), 'utf8')) as { version: string };
    expect(await field(file, 'Version')).toBe(version);
    const next = await build(directory.path, '--version', '99.1');
    expect(next).toMatch(/\/dmabroker_99\.1_\w+\.deb$/);
    expect(await field(next, 'Version')).toBe('99.1');
  });

  it('asks for what its programs need', async () => {
    const { engines } = JSON.parse(readFileSync(here('package.json'), 'utf8')) as {
      engines: { node: string };
    };
    const depends = await field(file, 'Depends');
    expect(depends).toContain(`nodejs (${engines.node.replace('>=', '>= ')})`);
    expect(depends).toMatch(/libc6 \(>= 2\.\d+\)/);
    const native = (await run('readelf', ['--dynamic', here('dist/bundle/koffi.node')])).stdout;
    for (const [library, name] of [
      ['libstdc++.so.6', 'libstdc++6'],
      ['libgcc_s.so.1', 'libgcc-s1'],
    ] as const)
      expect(depends.split(', ').includes(name)).toBe(native.includes(`[${library}]`));
  });

  // copyright-format 1.0 (DEP-5): a header, and a paragraph for each work with whose it is and under which terms.
  it('says of all that it contains whose it is, in the form for programs', async () => {
    const root = join(directory.path, 'extracted');
    expect(await run('dpkg-deb', ['--extract', file, root], PATIENCE)).toMatchObject({ code: 0 });
    const text = readFileSync(join(root, 'usr/share/doc/dmabroker/copyright'), 'utf8');
    const [header = '', ...works] = text.split('\n\n').map((paragraph) => paragraph.trimEnd());
    expect(header).toMatch(
      /^Format: https:\/\/www\.debian\.org\/doc\/packaging-manuals\/copyright-format\/1\.0\/$/m,
    );
    for (const work of works)
      expect(work).toMatch(
        /^Files: \S+\nCopyright: \S.*\n(?: \S.*\n)*License: (?:Expat|Apache-2\.0)(?:\n \S.*)+$/,
      );
    const others = readFileSync(here('dist/bundle/THIRD-PARTY-LICENSES'), 'utf8');
    for (const [, name = ''] of others.matchAll(/^(\S+) \d+\.\d+\.\d+ \(.+\)$/gm))
      expect(works.filter((work) => work.startsWith(`Files: node_modules/${name}/*\n`))).toHaveLength(1);
    expect(works[0]).toMatch(/^Files: \*\n/);
  });

  it('names a home page only where the project has one', async () => {
    const { homepage = '' } = JSON.parse(readFileSync(here('package.json'), 'utf8')) as { homepage?: string };
    expect(await field(file, 'Homepage')).toBe(homepage);
  });

  it('belongs to root, and compresses its manual pages', async () => {
    const rows = (await run('dpkg-deb', ['--contents', file])).stdout.trim().split('\n');
    expect(rows.filter((row) => !/^\S+ +root\/root /.test(row))).toEqual([]);
    const pages = rows.filter((row) => /usr\/share\/man\/.*[^/]$/.test(row));
    expect(pages.length).toBeGreaterThan(3);
    expect(pages.filter((row) => !row.endsWith('.gz'))).toEqual([]);
  });

  it.skipIf(!canCheck)('is nothing that lintian calls an error', { timeout: PATIENCE }, async () => {
    const args = ['--no-cfg', '--fail-on', 'error', '--allow-root', file];
    expect(await run('lintian', args, PATIENCE)).toMatchObject({ code: 0 });
  });
});

const canBuildLibrary = isDebian && ensure(['dpkg-dev', ...LIBRARY_TOOLS], { optional: true });

describe.skipIf(!canBuildLibrary)('the packages of the C library', { timeout: 2 * PATIENCE }, () => {
  const directory = new TemporaryDirectory();
  let files: readonly string[] = [];
  const field = async (of: string, name: string): Promise<string> =>
    (await run('dpkg-deb', ['--field', of, name])).stdout.trim();
  const contents = async (of: string): Promise<readonly string[]> =>
    [...(await run('dpkg-deb', ['--contents', of])).stdout.matchAll(/ \.\/(\S*[^/\s])(?: -> \S+)?$/gm)]
      .map(([, path = '']) => path)
      .filter((path) => !path.startsWith('usr/share/doc/'));

  beforeAll(async () => {
    files = (await buildAll(directory.path, '--library', 'yes', '--gstreamer', 'yes')).slice(1);
  }, 3 * PATIENCE);
  afterAll(() => {
    directory[Symbol.dispose]();
  });

  it('are one to run and one to build programs with', async () => {
    const [shared = '', development = ''] = files;
    expect(await field(shared, 'Package')).toBe('libdmabroker0');
    expect(await contents(shared)).toEqual([
      expect.stringMatching(/^usr\/lib\/[\w-]+\/libdmabroker\.so\.0$/),
    ]);
    expect(await field(shared, 'Depends')).toMatch(/libc6 \(>= .*libsystemd0 \(>= /);
    expect(await field(development, 'Package')).toBe('libdmabroker-dev');
    const names = (await contents(development)).map((path) => path.split('/').at(-1));
    expect(names.toSorted()).toEqual(['dmabroker.h', 'dmabroker.pc', 'libdmabroker.so']);
    const version = await field(shared, 'Version');
    expect(await field(development, 'Depends')).toContain(`libdmabroker0 (= ${version})`);
  });

  it('are one for GStreamer besides', async () => {
    const [, , element = ''] = files;
    expect(await field(element, 'Package')).toBe('gstreamer1.0-dmabroker');
    expect(await contents(element)).toEqual([
      expect.stringMatching(/^usr\/lib\/[\w-]+\/gstreamer-1\.0\/libgstdmabroker\.so$/),
    ]);
    const depends = await field(element, 'Depends');
    expect(depends).toMatch(/libdmabroker0 \(>= 0\.1\.0\)/);
    expect(depends).toMatch(/libgstreamer1\.0-0 \(>= 1\./);
    const root = join(directory.path, 'element');
    await run('dpkg-deb', ['--raw-extract', element, root]);
    const [plugin = ''] = await contents(element);
    // No path of the build in it.
    expect((await run('readelf', ['-d', join(root, plugin)])).stdout).not.toMatch(/RUNPATH|RPATH/);
  });

  it('list the symbols that the library has', async () => {
    const [shared = ''] = files;
    const root = join(directory.path, 'unpacked');
    await run('dpkg-deb', ['--raw-extract', shared, root]);
    const listed = readFileSync(join(root, 'DEBIAN/symbols'), 'utf8').matchAll(
      /^ (\S+)@LIBDMABROKER_0 0\.1\.0$/gm,
    );
    const [library = ''] = await contents(shared);
    const exported = (await run('nm', ['-D', '--defined-only', join(root, library)])).stdout;
    const names = [...exported.matchAll(/ [TA] (\w+)(?:@@\w+)?$/gm)].map(([, name = '']) => name);
    expect([...listed].map(([, name = '']) => name).toSorted()).toEqual(names.toSorted());
  });

  it.skipIf(!canCheck)('are nothing that lintian calls an error', async () => {
    const args = ['--no-cfg', '--fail-on', 'error', '--allow-root', ...files];
    expect(await run('lintian', args, PATIENCE)).toMatchObject({ code: 0 });
  });
});
