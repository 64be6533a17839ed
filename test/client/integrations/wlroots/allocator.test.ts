import { execFile, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { expect, it } from 'vitest';

import { startDaemon } from '../../../harness/daemon.js';
import { startBus } from '../../../harness/private-bus.js';
import { PROFILE, TemporaryDirectory } from '../../../integration/rig.js';
import { hasCompiler, LIBRARY } from '../../c/rig.js';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const SOURCES = at('../../../../client/integrations/wlroots/');
const run = promisify(execFile);

/** Debian 12 has 0.15, whose allocators are others; Debian 13 has it as libwlroots-0.18-dev. */
const PACKAGES = ['wlroots-0.18', 'pixman-1', 'wayland-server', 'libdrm'];
const hasWlroots = hasCompiler && spawnSync('pkg-config', ['--exists', ...PACKAGES]).status === 0;

it('is one short file', () => {
  expect(readFileSync(`${SOURCES}dmabroker_allocator.c`, 'utf8').split('\n').length).toBeLessThan(201);
});

it.skipIf(!hasWlroots)(
  'makes buffers of the broker, and others where it has none',
  { timeout: 120_000 },
  async () => {
    using directory = new TemporaryDirectory();
    const library = join(directory.path, 'libdmabroker.so.0');
    const files = readdirSync(LIBRARY).filter((name) => name.endsWith('.c'));
    const shared = ['-D_GNU_SOURCE', '-fPIC', '-fvisibility=hidden', '-shared'];
    await run('gcc', [...shared, '-o', library, ...files.map((name) => LIBRARY + name), '-lsystemd']);
    const { stdout: flags } = await run('pkg-config', ['--cflags', '--libs', ...PACKAGES]);
    const program = join(directory.path, 'check');
    const strict = ['-std=c11', '-D_GNU_SOURCE', '-g', '-Wall', '-Wextra', '-Werror'];
    await run('gcc', [
      ...strict,
      ...['-fsanitize=address,undefined', `-I${SOURCES}`, `-I${LIBRARY}`, '-o', program],
      ...[at('check.c'), `${SOURCES}dmabroker_allocator.c`, library, ...flags.trim().split(/\s+/)],
    ]);
    await using bus = await startBus();
    await using _daemon = await startDaemon({ bus, args: ['--profile', PROFILE] });
    await using empty = await startBus();
    const said = await Promise.all(
      [bus, empty].map(async ({ address }) => (await run(program, [address])).stdout),
    );
    expect(said).toEqual(['brokered 1 1 1 huge 0\n', 'brokered 0 0 0 huge 0\n']);
  },
);
