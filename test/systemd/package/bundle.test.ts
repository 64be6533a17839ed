import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type * as library from '../../../client/index.js';
import { startDaemon } from '../../harness/daemon.js';
import { startBus } from '../../harness/private-bus.js';
import { PROFILE, run, TemporaryDirectory, type Ran } from '../../integration/rig.js';

const here = (path: string): string => fileURLToPath(new URL(`../../../${path}`, import.meta.url));

describe('the bundle', () => {
  const directory = new TemporaryDirectory();
  const at = (name: string): string => join(directory.path, name);
  const dmabrokerctl = (...args: readonly string[]): Promise<Ran> =>
    run(process.execPath, [at('dmabrokerctl.js'), ...args]);

  beforeAll(async () => {
    const made = await run(process.execPath, [here('systemd/package/bundle.mjs'), '--to', directory.path]);
    expect(made).toEqual({ code: 0, stdout: '', stderr: '' });
  }, 60_000);
  afterAll(() => {
    directory[Symbol.dispose]();
  });

  it('serves its own library, far from the checkout and what is installed there', async () => {
    await using bus = await startBus();
    await using _daemon = await startDaemon({
      bus,
      program: at('dmabrokerd.js'),
      args: ['--profile', PROFILE],
    });
    const { connect } = (await import(
      /* @vite-ignore */ pathToFileURL(at('dmabroker.js')).href
    )) as typeof library;
    await using broker = await connect({ bus: bus.address });
    await using allocation = await broker.allocate([{ device: 'cpu', uses: ['write'] }], { size: 4096n });
    const [buffer] = allocation.buffers;
    await buffer?.map({ write: true }, (bytes) => bytes.fill(7));
    expect((await broker.status()).liveBuffers).toBe(1n);
    const status = await dmabrokerctl('--bus', bus.address, '--json', 'status');
    expect(JSON.parse(status.stdout)).toMatchObject({ liveBuffers: 1 });
  });

  it('has no more than 64 MiB in memory while nobody asks for anything', async () => {
    await using bus = await startBus();
    await using daemon = await startDaemon({ bus, program: at('dmabrokerd.js') });
    const status = readFileSync(`/proc/${daemon.pid}/status`, 'utf8');
    expect(Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024).toBeLessThan(64);
  });

  it('knows its version and its policy', async () => {
    const { version } = JSON.parse(readFileSync(here('package.json'), 'utf8')) as { version: string };
    const daemon = await run(process.execPath, [at('dmabrokerd.js'), '--version']);
    expect(daemon.stdout.trim()).toBe(version);
    const shown = await dmabrokerctl('policy', 'show', PROFILE);
    expect(shown).toMatchObject({ code: 0, stderr: '' });
    expect(shown.stdout).toContain('dmabroker.conf.d/10-devices-gpu.conf:');
    expect(readdirSync(at('dmabroker.conf.d'))).toEqual(readdirSync(here('policy/dmabroker.conf.d')));
  });

  it('loads what few verbs need when they need it', async () => {
    const simulated = await dmabrokerctl('--json', 'policy', 'simulate', PROFILE);
    expect(simulated).toMatchObject({ code: 0, stderr: '' });
    const recorded = await dmabrokerctl('record');
    expect(JSON.parse(recorded.stdout)).toHaveProperty('version');
  });

  it('has one native part, and no map or test', () => {
    const files = readdirSync(directory.path, { recursive: true, encoding: 'utf8' });
    expect(files.filter((file) => file.endsWith('.node'))).toEqual(['koffi.node']);
    expect(files.filter((file) => /\.map$|test/.test(file))).toEqual([]);
  });

  it('has the licence of everything that it contains of others', () => {
    const text = readFileSync(at('THIRD-PARTY-LICENSES'), 'utf8');
    for (const name of ['commander', 'dbus-next', 'esbuild', 'jsbi', 'koffi', 'pino', 'typebox'])
      expect(text).toMatch(new RegExp(`^${name} \\d+\\.\\d+\\.\\d+ \\(.+\\)$`, 'm'));
    expect(text).toContain('koffi contains node-addon-api:');
    expect(text.match(/Permission is hereby granted/g)?.length).toBeGreaterThan(5);
  });

  it('declares the types of the library, and everything that they refer to', () => {
    const types = at('types');
    const files = readdirSync(types, { recursive: true, encoding: 'utf8' }).filter((file) =>
      file.endsWith('.d.ts'),
    );
    expect(files).toContain('client/index.d.ts');
    for (const file of files)
      for (const [, path = ''] of readFileSync(join(types, file), 'utf8').matchAll(/from '(\.[^']+)\.js'/g))
        expect(files).toContain(join(file, '..', `${path}.d.ts`));
  });
});
