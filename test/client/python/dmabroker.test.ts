import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { expect, it } from 'vitest';

import { USES } from '../../../dbus/names.js';
import { startDaemon } from '../../harness/daemon.js';
import { startBus } from '../../harness/private-bus.js';
import { PROFILE, TemporaryDirectory } from '../../integration/rig.js';
import { ensure } from '../../tools/ensure.mjs';
import { LIBRARY } from '../c/rig.js';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const MODULE = at('../../../client/python/');
const run = promisify(execFile);

/** The words of a tuple of the module. */
const tuple = (name: string): readonly string[] => {
  const [, words = ''] =
    new RegExp(`^${name} = \\(([^)]*)\\)`, 'm').exec(readFileSync(`${MODULE}dmabroker.py`, 'utf8')) ?? [];
  return [...words.matchAll(/"(\w+)"/g)].map(([, word = '']) => word);
};

it('has the uses and the limits of the C library, in its order', () => {
  const [, body = ''] =
    /enum dmabroker_limit \{(.*?)\};/s.exec(readFileSync(`${LIBRARY}dmabroker.h`, 'utf8')) ?? [];
  const limits = [...body.matchAll(/DMABROKER_(\w+)/g)].map(([, name = '']) => name.toLowerCase());
  expect(tuple('LIMITS')).toEqual(limits);
  expect(tuple('USES')).toEqual([...USES]);
});

it.skipIf(!ensure(['gcc', 'libsystemd-dev', 'python3-gi'], { optional: true }))(
  'does with a daemon what it says',
  { timeout: 120_000 },
  async () => {
    using directory = new TemporaryDirectory();
    const library = join(directory.path, 'libdmabroker.so.0');
    const sources = readdirSync(LIBRARY).filter((name) => name.endsWith('.c'));
    const files = sources.map((name) => LIBRARY + name);
    await run('gcc', ['-fPIC', '-shared', '-o', library, ...files, '-lsystemd']);
    await using bus = await startBus();
    await using _daemon = await startDaemon({ bus, args: ['--profile', PROFILE] });
    const env = { ...process.env, DMABROKER_LIBRARY: library, PYTHONPATH: MODULE };
    const { stdout, stderr } = await run('/usr/bin/python3', ['-B', at('check.py'), bus.address], { env });
    expect([stdout, stderr]).toEqual(['done\n', '']);
  },
);
