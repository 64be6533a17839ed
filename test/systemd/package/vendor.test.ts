import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { run, TemporaryDirectory } from '../../integration/rig.js';
import { ensure } from '../../tools/ensure.mjs';
import { mayBuildOffline } from '../../tools/offline.mjs';

const checkout = fileURLToPath(new URL('../../../', import.meta.url));
/** Milliseconds: it compiles everything. */
const PATIENCE = 600_000;

describe.skipIf(!mayBuildOffline())('a build from the vendored packages, without a network', () => {
  const directory = new TemporaryDirectory();
  const source = join(directory.path, 'source');
  let packages: readonly string[] = [];

  beforeAll(async () => {
    const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
      cwd: checkout,
    });
    for (const file of files.toString().trim().split('\n')) cpSync(join(checkout, file), join(source, file));
    const vendor = join(checkout, 'systemd/package/vendor.mjs');
    const made = await run(process.execPath, [vendor, '--to', directory.path], PATIENCE);
    expect(made).toMatchObject({ code: 0, stderr: '' });
    const unpacked = await run('tar', ['-x', '-f', made.stdout.trim(), '-C', source]);
    expect(unpacked.code, unpacked.stderr).toBe(0);
    packages = readdirSync(join(source, 'node_modules'));
  }, PATIENCE);
  afterAll(() => {
    directory[Symbol.dispose]();
  });

  /** In a network namespace of its own, whose one interface is down. */
  const offline = (...args: readonly string[]): string => {
    const { status, stdout, stderr } = spawnSync('unshare', ['--map-root-user', '--net', ...args], {
      cwd: source,
      encoding: 'utf8',
      env: { ...process.env, npm_config_update_notifier: 'false' },
    });
    expect(status, stdout + stderr).toBe(0);
    return stdout;
  };

  it('has the packages that a build takes, and no others', () => {
    expect(packages).toEqual(expect.arrayContaining(['typescript', 'esbuild', 'koffi', 'pino']));
    for (const name of ['vitest', 'eslint', 'prettier', 'fast-check', 'typedoc'])
      expect(packages).not.toContain(name);
  });

  it('makes programs that run', { timeout: PATIENCE }, () => {
    offline('npm', 'run', '--silent', 'build:package');
    const { version } = JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8')) as {
      version: string;
    };
    expect(offline(process.execPath, 'dist/bundle/dmabrokerd.js', '--version').trim()).toBe(version);
    expect(readdirSync(join(source, 'dist/man'))).toContain('org.dmabroker1.5');
  });

  it.skipIf(!ensure(['cmake', 'g++'], { optional: true }))(
    'makes the native part of its sources',
    { timeout: PATIENCE },
    () => {
      const brought = readFileSync(join(source, 'dist/bundle/koffi.node'));
      offline(process.execPath, 'systemd/package/bundle.mjs', '--build-native');
      expect(readFileSync(join(source, 'dist/bundle/koffi.node')).equals(brought)).toBe(false);
      expect(
        offline(process.execPath, 'dist/bundle/dmabrokerd.js', '--check', '--root', directory.path),
      ).toContain('plain');
    },
  );
});
