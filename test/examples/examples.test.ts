import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { startDaemon, type RunningDaemon } from '../harness/daemon.js';
import { startBus, type PrivateBus } from '../harness/private-bus.js';
import { TemporaryDirectory } from '../integration/rig.js';
import { ensure } from '../tools/ensure.mjs';

const at = (path: string): string => fileURLToPath(new URL(`../../examples/${path}`, import.meta.url));
const directory = new TemporaryDirectory();
let bus: PrivateBus;
let daemon: RunningDaemon;

beforeAll(async () => {
  bus = await startBus();
  // Its own machine, as the README of the examples starts it.
  daemon = await startDaemon({ bus, args: ['--root', directory.path] });
});
afterAll(async () => {
  await daemon.stop();
  await bus.stop();
  directory[Symbol.dispose]();
});

/** What a program prints that finds the private bus in the place of the session's. */
async function output(program: string, ...args: readonly string[]): Promise<string> {
  const env = { ...process.env, DBUS_SESSION_BUS_ADDRESS: bus.address };
  const { stdout, stderr } = await promisify(execFile)(program, args, { env, timeout: 20_000 });
  expect(stderr).toBe('');
  return stdout;
}

/** 640 × 480 pixels of 4 bytes. */
const IMAGE = { pitch: 2560, size: 1_228_800 };

describe('examples', () => {
  it('node/first-buffer.mjs', async () => {
    const said = await output(process.execPath, at('node/first-buffer.mjs'));
    expect(said).toBe(`pitch ${IMAGE.pitch} bytes, size ${IMAGE.size} bytes, first byte 128\n`);
  });

  it('node/conflict.mjs', async () => {
    const lines = (await output(process.execPath, at('node/conflict.mjs'))).trimEnd().split('\n');
    expect(lines.toSorted()).toEqual([
      expect.stringMatching(/^cpu: pitch-exact 100 /),
      expect.stringMatching(/^cpu: pitch-multiple 256 /),
    ]);
  });

  it('node/watch.mjs', async () => {
    expect(await output(process.execPath, at('node/watch.mjs'))).toBe(
      'added: example, 65536 bytes\nremoved: example\n',
    );
  });

  it('node/negotiate.mjs', async () => {
    expect(await output(process.execPath, at('node/negotiate.mjs'))).toBe(
      `3 buffers, pitch ${IMAGE.pitch} bytes\nbuffer 1 begins with 128\n`,
    );
  });

  it('node/pass-on.mjs', async () => {
    expect(await output(process.execPath, at('node/pass-on.mjs'))).toMatch(/^\/(?:memfd|dmabuf):/);
  });

  // Debian's packages are for its own Python.
  it.skipIf(!ensure(['python3-gi'], { optional: true }))('python/gio.py', async () => {
    expect(await output('/usr/bin/python3', at('python/gio.py'))).toBe(
      `pitch ${IMAGE.pitch} bytes, size ${IMAGE.size} bytes, zeroed\n`,
    );
  });

  it.skipIf(!ensure(['python3-dbus'], { optional: true }))('python/dbus_python.py', async () => {
    expect(await output('/usr/bin/python3', at('python/dbus_python.py'))).toBe(
      `pitch ${IMAGE.pitch} bytes, size ${IMAGE.size} bytes, zeroed\n`,
    );
  });

  const hasWayland = ensure(
    ['gcc', 'libsystemd-dev', 'libwayland-dev', 'libwayland-bin', 'wayland-protocols'],
    { optional: true },
  );
  it.skipIf(!hasWayland)('c/wayland.c compiles, and says that there is no compositor', async () => {
    const run = promisify(execFile);
    const protocols = '/usr/share/wayland-protocols';
    const generated: string[] = [];
    for (const path of ['stable/xdg-shell/xdg-shell', 'unstable/linux-dmabuf/linux-dmabuf-unstable-v1']) {
      const base = join(directory.path, path.split('/').at(-1) ?? '');
      await run('wayland-scanner', ['client-header', `${protocols}/${path}.xml`, `${base}.h`]);
      await run('wayland-scanner', ['private-code', `${protocols}/${path}.xml`, `${base}.c`]);
      generated.push(`${base}.c`);
    }
    const library = at('../client/c/');
    const sources = readdirSync(library).filter((name) => name.endsWith('.c'));
    const program = join(directory.path, 'wayland');
    const strict = ['-std=c11', '-D_GNU_SOURCE', '-Wall', '-Wextra', '-Werror'];
    await run('gcc', [
      ...strict,
      ...[`-I${directory.path}`, `-I${library}`, '-o', program, at('c/wayland.c'), ...generated],
      ...[...sources.map((name) => library + name), '-lsystemd', '-lwayland-client'],
    ]);
    const env = { ...process.env, XDG_RUNTIME_DIR: directory.path, WAYLAND_DISPLAY: 'none' };
    await expect(run(program, { env })).rejects.toMatchObject({ code: 1, stderr: 'no Wayland compositor\n' });
  });

  it.skipIf(!ensure(['gcc', 'libsystemd-dev'], { optional: true }))('c/allocate.c', async () => {
    const program = join(directory.path, 'allocate');
    const warnings = ['-std=c11', '-D_GNU_SOURCE', '-Wall', '-Wextra', '-Wpedantic', '-Werror'];
    await output(
      'gcc',
      ...warnings,
      '-fsanitize=address,undefined',
      '-o',
      program,
      at('c/allocate.c'),
      '-lsystemd',
    );
    expect(await output(program)).toBe(`size ${IMAGE.size} bytes, zeroed\n`);
  });

  // With the library in it, as it need not be installed.
  const withLibrary = async (...options: readonly string[]): Promise<string> => {
    const program = join(directory.path, 'libdmabroker');
    const library = at('../client/c/');
    const sources = readdirSync(library).filter((name) => name.endsWith('.c'));
    const files = [at('c/libdmabroker.c'), ...sources.map((name) => library + name)];
    const warnings = ['-std=c11', '-Wall', '-Wextra', '-Wpedantic', '-Werror', '-g', `-I${library}`];
    await promisify(execFile)('gcc', [...warnings, ...options, '-o', program, ...files, '-lsystemd']);
    return program;
  };
  const SLOW = { timeout: 120_000 };
  /** 1,366 pixels of 4 bytes are 5,464 bytes, no multiple of 100. */
  const CLASHES = ['clashes: pitch-exact 1 of cpu (client)', 'clashes: pitch-multiple 100 of cpu (client)'];
  const drawn = (said: string): void => {
    const lines = said.trimEnd().split('\n');
    expect(lines.slice(0, -1).toSorted()).toEqual(CLASHES);
    expect(lines.at(-1)).toBe(`stride 5464 bytes, size ${5464 * 768} bytes, drawn`);
  };

  it.skipIf(!ensure(['gcc', 'libsystemd-dev'], { optional: true }))('c/libdmabroker.c', SLOW, async () => {
    drawn(await output(await withLibrary('-fsanitize=address,undefined')));
  });

  it.skipIf(!ensure(['gcc', 'libsystemd-dev', 'valgrind'], { optional: true }))(
    'c/libdmabroker.c under valgrind',
    SLOW,
    async () => {
      drawn(
        await output('valgrind', '--quiet', '--leak-check=full', '--error-exitcode=99', await withLibrary()),
      );
    },
  );

  it.skipIf(!ensure(['gcc', 'libsystemd-dev', 'python3-gi'], { optional: true }))(
    'python/libdmabroker.py',
    SLOW,
    async () => {
      const library = join(directory.path, 'libdmabroker.so.0');
      const sources = readdirSync(at('../client/c/')).filter((name) => name.endsWith('.c'));
      const files = sources.map((name) => at(`../client/c/${name}`));
      await promisify(execFile)('gcc', ['-fPIC', '-shared', '-o', library, ...files, '-lsystemd']);
      const env = { DMABROKER_LIBRARY: library, PYTHONPATH: at('../client/python') };
      const said = await output(
        'env',
        ...Object.entries(env).map(([name, value]) => `${name}=${value}`),
        '/usr/bin/python3',
        '-B',
        at('python/libdmabroker.py'),
      );
      const lines = said.trimEnd().split('\n');
      expect(lines.slice(0, -1).toSorted()).toEqual([
        'clashes: pitch-exact 1 of cpu',
        'clashes: pitch-multiple 1000 of cpu',
      ]);
      expect(lines.at(-1)).toBe(`stride ${IMAGE.pitch} bytes, size ${IMAGE.size} bytes, first byte 2`);
    },
  );

  it.skipIf(!ensure(['systemd'], { optional: true }))('shell/allocate.sh', async () => {
    expect(await output(at('shell/allocate.sh'))).toMatch(/^oa\{sv\}ah .* "size" t 1228800 .* 1 \d+\n$/);
  });

  it('are all listed in their README, and all run here', () => {
    const files = readdirSync(at('.'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name !== 'README.md')
      .map((entry) => join(entry.parentPath, entry.name).slice(at('.').length));
    const readme = readFileSync(at('README.md'), 'utf8');
    const tests = readFileSync(fileURLToPath(import.meta.url), 'utf8');
    for (const file of files) {
      expect(readme).toContain(`](${file})`);
      expect(tests).toContain(`'${file}'`);
    }
  });
});
