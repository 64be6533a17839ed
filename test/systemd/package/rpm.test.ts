import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { describe, expect, it } from 'vitest';

import { run, TemporaryDirectory } from '../../integration/rig.js';
import { ensure, LIBRARY_TOOLS } from '../../tools/ensure.mjs';

const checkout = fileURLToPath(new URL('../../../', import.meta.url));
const SPEC = join(checkout, 'systemd/package/rpm/dmabroker.spec');
/** Milliseconds. */
const PATIENCE = 60_000;

const canBuild = ensure(['rpm', 'rpmlint'], { optional: true });
const canBuildLibrary = canBuild && ensure(LIBRARY_TOOLS, { optional: true });

describe('the spec file', () => {
  it('has the version of what it packages', () => {
    const { version } = JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8')) as {
      version: string;
    };
    expect(/^Version: +(.*)$/m.exec(readFileSync(SPEC, 'utf8'))?.[1]).toBe(version);
  });

  it('provides by name what the bundle contains of others', () => {
    const licences = readFileSync(join(checkout, 'dist/bundle/THIRD-PARTY-LICENSES'), 'utf8');
    const contained = [...licences.matchAll(/^-{70,}\n\n(\S+) (\S+) \(/gm)].map(
      ([, name, version]) => `${name} ${version}`,
    );
    const provided = [...readFileSync(SPEC, 'utf8').matchAll(/^Provides: +bundled\(nodejs-(.*)\) = (.*)$/gm)];
    // Of esbuild it has a few lines between the modules.
    expect(provided.map(([, name, version]) => `${name} ${version}`)).toEqual(
      contained.filter((each) => !each.startsWith('esbuild ')),
    );
  });

  it.skipIf(!canBuild)('has nothing that rpmlint calls an error', { timeout: PATIENCE }, async () => {
    const { code, stdout } = await run('rpmlint', [SPEC], PATIENCE);
    expect(code, stdout).toBe(0);
    expect(stdout).toMatch(/ 0 errors/);
  });

  it.skipIf(!canBuildLibrary)('builds packages of what is installed', { timeout: 2 * PATIENCE }, async () => {
    if (!existsSync(join(checkout, 'dist/bundle'))) throw new Error('there is no bundle: npm run bundle');
    using directory = new TemporaryDirectory();
    // In the place that it stands in: what npm and rpm's own dependencies bring is there already.
    const built = await run(
      'sh',
      [
        '-c',
        'cd "$0" && exec rpmbuild -bb --build-in-place --nodeps --without npm --define "_topdir $1" "$2"',
        ...[checkout, directory.path, SPEC],
      ],
      2 * PATIENCE,
    );
    expect(built.code, built.stderr).toBe(0);
    const written = [...built.stdout.matchAll(/^Wrote: (.*\.rpm)$/gm)].map(([, path = '']) => path);
    const packageOf = (name: string): string =>
      written.find((path) => path.includes(`/${name}-0`) || path.includes(`/${name}-1`)) ?? 'none';
    const filesOf = async (path: string): Promise<readonly string[]> =>
      (await run('rpm', ['--query', '--list', '--package', path])).stdout.trim().split('\n');
    const names = async (name: string): Promise<readonly string[]> =>
      (await filesOf(packageOf(name))).flatMap((path) => /[^/]*\.(?:so(?:\.0)?|h|pc)$/.exec(path) ?? []);
    expect(await names('libdmabroker')).toEqual(['libdmabroker.so.0']);
    expect(await names('libdmabroker-devel')).toEqual(['dmabroker.h', 'libdmabroker.so', 'dmabroker.pc']);
    expect(await names('gstreamer1-plugin-dmabroker')).toEqual(['libgstdmabroker.so']);
    expect(await names('dmabroker')).toEqual([]);
    const file = packageOf('dmabroker');
    const files = await filesOf(file);
    for (const path of [
      '/usr/bin/dmabrokerd',
      '/usr/lib/dmabroker/koffi.node',
      '/usr/lib/dmabroker/dmabroker.conf',
    ])
      expect(files).toContain(path);
    const { stdout: licences } = await run('rpm', ['--query', '--licensefiles', '--package', file]);
    expect(licences).toContain('THIRD-PARTY-LICENSES');
  });
});
