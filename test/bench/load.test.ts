import { execFileSync } from 'node:child_process';

import { describe, expect, test } from 'vitest';

import { Load } from './load.js';
import { compile } from './compile.mjs';
import { startDaemon } from '../harness/daemon.js';
import { startBus } from '../harness/private-bus.js';
import { PROFILE, TemporaryDirectory } from '../integration/rig.js';
import { ensure } from '../tools/ensure.mjs';

const hasSdBus = ensure(['gcc', 'libsystemd-dev'], { optional: true });

describe.skipIf(!hasSdBus)('the client that measures (needs gcc and libsystemd-dev)', () => {
  test('times each round, gives back what it is given, and says what was refused', async () => {
    using directory = new TemporaryDirectory();
    await using bus = await startBus();
    await using daemon = await startDaemon({ bus, args: ['--profile', PROFILE] });
    await using load = new Load(compile('load', directory.path), bus.address);
    await load.run('device cpu');
    await load.run('image 64 64 XR24');
    const before = daemon.fdCount();
    expect(await load.run('explain 3')).toHaveLength(3);
    const taken = await load.run('allocate 4 2');
    expect(taken).toHaveLength(4);
    expect(taken.every((nanoseconds) => nanoseconds > 0)).toBe(true);
    expect(await load.run('memfd 4096 2')).toHaveLength(2);
    await load.run('connections 3');
    expect(await load.run('hold 6 1')).toHaveLength(6);
    expect(daemon.fdCount()).toBeGreaterThanOrEqual(before + 6);
    await load.run('size 18446744073709551615');
    await expect(load.run('allocate 1 1')).rejects.toThrow('MaxBuffer');
  });

  test('says how it is used', () => {
    using directory = new TemporaryDirectory();
    const program = compile('load', directory.path);
    expect(() => execFileSync(program, { stdio: 'pipe' })).toThrow('usage: load ADDRESS');
  });
});
