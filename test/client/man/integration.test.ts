import { execFile, execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { expect, it } from 'vitest';

import { startDaemon } from '../../harness/daemon.js';
import { startBus } from '../../harness/private-bus.js';
import { PROFILE, TemporaryDirectory } from '../../integration/rig.js';
import { ensure } from '../../tools/ensure.mjs';
import { hasCompiler, LIBRARY } from '../c/rig.js';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const page = readFileSync(at('../../../client/man/dmabroker-integration.7'), 'utf8');

/** The example that stands in the section. */
function example(section: string): string {
  const [, text = ''] = page.split(`.Ss ${section}\n`);
  const [, code = ''] = /^\.Bd -literal.*?\n(.*?)^\.Ed$/ms.exec(text) ?? [];
  return code.replaceAll('\\e', '\\');
}

const STRICT = ['-Wall', '-Wextra', '-Werror', `-I${LIBRARY}`, '-fsyntax-only'];
const flagsOf = (name: string): readonly string[] =>
  execFileSync('pkg-config', ['--cflags', name], { encoding: 'utf8' }).trim().split(/\s+/).filter(Boolean);

it.skipIf(!hasCompiler || !ensure(['g++', 'libcamera-dev'], { optional: true }))(
  'the example for libcamera compiles',
  () => {
    const args = ['-std=c++17', ...STRICT, ...flagsOf('libcamera'), '-xc++', '-'];
    execFileSync('g++', args, { input: example('libcamera') });
  },
);

it.skipIf(!hasCompiler || !ensure(['libavutil-dev'], { optional: true }))(
  'the example for FFmpeg compiles',
  () => {
    const args = ['-std=c11', ...STRICT, ...flagsOf('libavutil'), '-xc', '-'];
    execFileSync('gcc', args, { input: example('FFmpeg') });
  },
);

it.skipIf(!hasCompiler || !ensure(['python3-gi'], { optional: true }))(
  'the example for picamera2 gives descriptors of memory that is large enough',
  { timeout: 60_000 },
  async () => {
    using directory = new TemporaryDirectory();
    const library = join(directory.path, 'libdmabroker.so.0');
    const files = readdirSync(LIBRARY).filter((name) => name.endsWith('.c'));
    const shared = ['-D_GNU_SOURCE', '-fPIC', '-shared', '-o', library];
    execFileSync('gcc', [...shared, ...files.map((name) => LIBRARY + name), '-lsystemd']);
    await using bus = await startBus();
    await using _daemon = await startDaemon({ bus, args: ['--profile', PROFILE] });
    const program = `${example('picamera2')}
import os, sys
heap = BrokerHeap("cpu", sys.argv[1])
fds = [heap.alloc("picamera2-%d" % i, 100000) for i in range(3)]
print([fd.isValid() and os.fstat(fd.get()).st_size >= 100000 for fd in fds])
heap.close()
`;
    const env = {
      ...process.env,
      DMABROKER_LIBRARY: library,
      PYTHONPATH: at('../../../client/python/'),
    };
    const { stdout } = await promisify(execFile)('/usr/bin/python3', ['-B', '-c', program, bus.address], {
      env,
    });
    expect(stdout).toBe('[True, True, True]\n');
  },
);
