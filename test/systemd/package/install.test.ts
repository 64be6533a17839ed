import { execFile } from 'node:child_process';
import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { run, TemporaryDirectory } from '../../integration/rig.js';
import { ensure, LIBRARY_TOOLS } from '../../tools/ensure.mjs';
import { listTree } from './tree-listing.js';

const here = (path: string): string => fileURLToPath(new URL(`../../../${path}`, import.meta.url));
const TIME = 1_700_000_000;

/** Installs below a directory, with a umask that a careful person has. */
async function install(directory: string, ...args: readonly string[]): Promise<void> {
  const script = 'umask "$0"; SOURCE_DATE_EPOCH="$1"; export SOURCE_DATE_EPOCH; shift; exec "$@"';
  const program = [
    process.execPath,
    here('systemd/package/install.mjs'),
    '--destdir',
    directory,
    '--library',
    'no',
    ...args,
  ];
  expect(await run('/bin/sh', ['-c', script, '077', String(TIME), ...program], 120_000)).toEqual({
    code: 0,
    stdout: '',
    stderr: '',
  });
}

describe('what is installed', () => {
  const directory = new TemporaryDirectory();
  const root = join(directory.path, 'first');
  const at = (path: string): string => join(root, path);
  const text = (path: string): string => readFileSync(at(path), 'utf8');

  beforeAll(async () => {
    if (!existsSync(here('dist/bundle'))) throw new Error('there is no bundle: npm run bundle');
    await install(root, '--prefix', '/usr');
  }, 60_000);
  afterAll(() => {
    directory[Symbol.dispose]();
  });

  it('is the same whenever it is, to the modes and times', async () => {
    const second = join(directory.path, 'second');
    await install(second, '--prefix', '/usr');
    expect(listTree(second)).toEqual(listTree(root));
  });

  it('is readable by everybody and writable by its owner, and of one time', () => {
    for (const path of readdirSync(root, { recursive: true, encoding: 'utf8' })) {
      const file = lstatSync(at(path));
      expect(file.mtimeMs, path).toBe(TIME * 1000);
      if (file.isSymbolicLink()) continue;
      const runs = file.isDirectory() || /\/dmabroker(d|ctl)\.js$/.test(path);
      expect((file.mode & 0o7777).toString(8), path).toBe(runs ? '755' : '644');
    }
  });

  it('has the programs where it says', async () => {
    const { version } = JSON.parse(readFileSync(here('package.json'), 'utf8')) as { version: string };
    for (const program of ['dmabrokerd', 'dmabrokerctl']) {
      const ran = await run(at(`usr/bin/${program}`), ['--version']);
      expect(ran).toMatchObject({ code: 0, stderr: '' });
      expect(ran.stdout).toContain(version);
    }
  });

  it('has every file that a unit or a bus service names', () => {
    const units = readdirSync(at('usr/lib/systemd/system')).filter((name) => name.endsWith('.service'));
    expect(units).toContain('dmabrokerd.service');
    for (const unit of units) {
      const said = text(`usr/lib/systemd/system/${unit}`);
      const programs = [...said.matchAll(/^Exec\w+=[-+!:@]*(\/usr\/bin\/dmabroker\w*)/gm)].map(
        ([, path = '']) => path,
      );
      expect(programs).not.toEqual([]);
      for (const program of programs) expect(existsSync(at(program)), program).toBe(true);
      for (const [, page, section] of said.matchAll(/man:([\w.]+)\((\d)\)/g))
        expect(existsSync(at(`usr/share/man/man${section}/${page}.${section}`)), page).toBe(true);
    }
    const services = readdirSync(at('usr/share/dbus-1/system-services'));
    for (const service of services) {
      const [, unit] =
        /^SystemdService=(.*)$/m.exec(text(`usr/share/dbus-1/system-services/${service}`)) ?? [];
      expect(units).toContain(unit);
    }
  });

  it('has every page and every file of its own that a manual names', () => {
    const pages = readdirSync(at('usr/share/man'), { recursive: true, encoding: 'utf8' }).filter((path) =>
      /\.\d$/.test(path),
    );
    expect(pages.length).toBeGreaterThan(4);
    const named = pages.flatMap((page) => {
      const source = text(`usr/share/man/${page}`);
      const others = [...source.matchAll(/^\.Xr (\S*dmabroker\S*) (\d)/gm)].map(
        ([, name = '', part = '']) => `usr/share/man/man${part}/${name}.${part}`,
      );
      const files = [...source.matchAll(/^\.(?:It )?Pa \/(usr\/(?:lib|share)\/[^\s*]+)$/gm)].map(
        ([, file = '']) => file,
      );
      return [...others, ...files].map((path) => [page, path] as const);
    });
    expect(named.map(([, path]) => path)).toContain('usr/lib/systemd/system/dmabrokerd.service');
    for (const [page, path] of named) expect(existsSync(at(path)), `${page}: ${path}`).toBe(true);
  });

  it('has what belongs to a user that a unit names', () => {
    const [, user] = /^User=(.*)$/m.exec(text('usr/lib/systemd/system/dmabrokerd.service')) ?? [];
    if (user === undefined || user === 'root') return;
    expect(text('usr/lib/sysusers.d/dmabroker.conf')).toMatch(new RegExp(`^u!? +${user} `, 'm'));
  });

  it('leaves nothing out that the repository has for it', () => {
    const expected = [
      ...readdirSync(here('systemd')).filter((name) => name !== 'package'),
      ...readdirSync(here('client/man')),
      ...readdirSync(here('client/completions')),
      ...readdirSync(here('policy/dmabroker.conf.d')),
      ...readdirSync(here('policy/examples')),
      ...readdirSync(here('dbus')).filter((name) => name.startsWith('org.')),
      ...readdirSync(here('dist/man')),
    ];
    const names = readdirSync(root, { recursive: true, encoding: 'utf8' }).map((path) =>
      path.split('/').at(-1),
    );
    const renamed = (name: string): string =>
      name.replace(/\.(sysusers|tmpfiles)$/, '.conf').replace(/\.bash$/, '');
    expect(expected.map(renamed).filter((name) => !names.includes(name))).toEqual([]);
  });

  const hasToolchain = ensure(LIBRARY_TOOLS, { optional: true });
  it.skipIf(!hasToolchain)('has the C library where one can be built', { timeout: 120_000 }, async () => {
    const other = join(directory.path, 'library');
    const parts = ['--library', 'yes', '--gstreamer', 'yes', '--libdir', 'lib64'];
    await install(other, '--prefix', '/opt/dmabroker', ...parts);
    const files = readdirSync(join(other, 'opt/dmabroker/lib64'), { recursive: true, encoding: 'utf8' });
    expect(files.toSorted()).toEqual([
      'gstreamer-1.0',
      'gstreamer-1.0/libgstdmabroker.so',
      'libdmabroker.so',
      'libdmabroker.so.0',
      'pkgconfig',
      'pkgconfig/dmabroker.pc',
    ]);
    expect(existsSync(join(other, 'opt/dmabroker/include/dmabroker.h'))).toBe(true);
  });

  it('says that the C library is left out where none can be built', async () => {
    const other = join(directory.path, 'without');
    const program = [here('systemd/package/install.mjs'), '--destdir', other, '--prefix', '/usr'];
    const env = { ...process.env, PATH: '/nonexistent', SOURCE_DATE_EPOCH: String(TIME) };
    const { stderr } = await promisify(execFile)(process.execPath, program, { env });
    expect(stderr).toMatch(/^libdmabroker is left out: it needs gcc, meson, /);
    expect(existsSync(join(other, 'usr/include'))).toBe(false);
  });

  it('names its prefix where a file says a path', async () => {
    const other = join(directory.path, 'other');
    await install(other, '--prefix', '/opt/dmabroker', '--node', '/opt/bin/node');
    const unit = readFileSync(join(other, 'opt/dmabroker/lib/systemd/system/dmabrokerd.service'), 'utf8');
    expect(unit).toMatch(/^ExecStart=\/opt\/dmabroker\/bin\/dmabrokerd /m);
    const program = readFileSync(join(other, 'opt/dmabroker/bin/dmabrokerd'), 'utf8');
    expect(program.split('\n')[0]).toBe('#!/opt/bin/node');
  });
});
