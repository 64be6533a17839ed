import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';

import { startDaemon } from '../harness/daemon.js';
import { naming } from '../harness/naming.js';
import { startBus } from '../harness/private-bus.js';
import { ensure } from '../tools/ensure.mjs';
import { PROFILE, run, runDaemon, TemporaryDirectory } from './rig.js';

const hasBusctl = ensure(['systemd'], { optional: true });

const getAll = async (address: string): Promise<string> => {
  const args = [
    'call',
    'org.dmabroker1',
    '/org/dmabroker1',
    'org.freedesktop.DBus.Properties',
    'GetAll',
    's',
  ];
  const { code, stdout, stderr } = await run('busctl', [
    `--address=${address}`,
    ...args,
    'org.dmabroker1.Broker',
  ]);
  expect(stderr).toBe('');
  expect(code).toBe(0);
  return stdout;
};

/** Writes the one policy file of a root. */
function writePolicy({ path }: TemporaryDirectory, text: string): void {
  mkdirSync(join(path, 'etc/dmabroker'), { recursive: true });
  writeFileSync(join(path, 'etc/dmabroker/dmabroker.conf'), text);
}

describe('the daemon', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('ends cleanly on %s', async (signal) => {
    using root = new TemporaryDirectory();
    await using bus = await startBus();
    await using daemon = await startDaemon({ bus, args: ['--profile', PROFILE, '--root', root.path] });
    process.kill(daemon.pid, signal);
    expect(await daemon.exited).toEqual({ code: 0, signal: null });
    expect(daemon.log()).toContain(signal);
  });

  it('fails, and says so, when the bus is lost', async () => {
    using root = new TemporaryDirectory();
    await using bus = await startBus();
    await using daemon = await startDaemon({ bus, args: ['--profile', PROFILE, '--root', root.path] });
    await bus.stop();
    expect(await daemon.exited).toEqual({ code: 1, signal: null });
    expect(daemon.log()).toContain('"event":"bus-lost"');
  });

  it('fails in one clear line when another has the name', async () => {
    using root = new TemporaryDirectory();
    await using bus = await startBus();
    const args = ['--profile', PROFILE, '--root', root.path];
    await using daemon = await startDaemon({ bus, args });
    const { code, stderr } = await runDaemon('--bus', bus.address, '--log-level', 'error', ...args);
    expect(code).toBe(1);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(stderr).toContain('"event":"name-taken"');
    expect(stderr).toMatch(naming('org.dmabroker1', '--replace'));
    expect(await daemon.stop()).toEqual({ code: 0, signal: null });
  });

  it('takes the name with --replace, and the other one ends cleanly', async () => {
    using root = new TemporaryDirectory();
    await using bus = await startBus();
    const args = ['--profile', PROFILE, '--root', root.path];
    await using first = await startDaemon({ bus, args });
    await using second = await startDaemon({ bus, args: [...args, '--replace'] });
    expect(await first.exited).toEqual({ code: 0, signal: null });
    expect(await second.stop()).toEqual({ code: 0, signal: null });
  });

  it('fails in one clear line where there is no bus', async () => {
    using root = new TemporaryDirectory();
    const args = ['--bus', `unix:path=${root.path}/nothing`, '--log-level', 'error', '--profile', PROFILE];
    const { code, stderr } = await runDaemon(...args);
    expect(code).toBe(1);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(stderr).toContain('"event":"start-failed"');
    expect(stderr).toMatch(naming(`unix:path=${root.path}/nothing`));
  });

  it.skipIf(!hasBusctl)('reads policy again on SIGHUP', async () => {
    using root = new TemporaryDirectory();
    await using bus = await startBus();
    await using daemon = await startDaemon({ bus, args: ['--profile', PROFILE, '--root', root.path] });
    writePolicy(root, '[Broker]\nMaxBufer=1M\n');
    process.kill(daemon.pid, 'SIGHUP');
    await vi.waitFor(async () => {
      expect(await getAll(bus.address)).toContain('MaxBufer');
    });
    expect(await daemon.stop()).toEqual({ code: 0, signal: null });
  });

  it.skipIf(!hasBusctl)('shows only what its machine has, without a profile', async () => {
    using root = new TemporaryDirectory();
    await using bus = await startBus();
    await using daemon = await startDaemon({ bus, args: ['--root', root.path] });
    expect(await getAll(bus.address)).toContain('"LiveBytes" t 0');
    expect(await daemon.stop()).toEqual({ code: 0, signal: null });
  });
});

describe('--check', () => {
  it('says what the daemon would do', async () => {
    using root = new TemporaryDirectory();
    const { code, stdout } = await runDaemon('--check', '--profile', PROFILE, '--root', root.path);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^.*\bcontiguous\b.*\bdma-heap:\S+.*\b\d+\b/m);
    expect(stdout).toContain('/dev/dri/card');
  });

  it('fails when policy has mistakes', async () => {
    using root = new TemporaryDirectory();
    writePolicy(root, '[Broker]\nMaxBufer=1M\n');
    const { code, stdout } = await runDaemon('--check', '--profile', PROFILE, '--root', root.path);
    expect(code).toBe(1);
    expect(stdout).toMatch(/\/etc\/dmabroker\/dmabroker\.conf:2:\d+: .*\bMaxBuffer\b/);
  });

  it('fails without a usable profile', async () => {
    using root = new TemporaryDirectory();
    const { code, stderr } = await runDaemon('--check', '--profile', join(root.path, 'nothing.json'));
    expect(code).toBe(1);
    expect(stderr).toContain('nothing.json');
  });
});

describe('the command line', () => {
  it('prints its version and its help', async () => {
    expect(await runDaemon('--version')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) as string,
    });
    const { code, stdout } = await runDaemon('--help');
    expect(code).toBe(0);
    for (const option of ['bus', 'replace', 'root', 'profile', 'state-dir', 'log-level', 'check']) {
      expect(stdout).toContain(`--${option}`);
    }
  });

  it.each([['--nonsense'], ['--log-level', 'loud'], ['--bus'], ['a-word']])('refuses %j', async (...args) => {
    const { code, stderr } = await runDaemon(...args);
    expect(code).toBe(2);
    expect(stderr).toContain('error:');
  });
});
