import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { VERBS } from '../../../client/cli/verbs/index.js';
import { connect } from '../../../client/index.js';
import { startDaemon, type RunningDaemon } from '../../harness/daemon.js';
import { startBus, type PrivateBus } from '../../harness/private-bus.js';

const MAIN = fileURLToPath(new URL('../../../dist/client/cli/main.js', import.meta.url));
const PROFILE = fileURLToPath(new URL('../../fixtures/profiles/intel-laptop.json', import.meta.url));

let bus: PrivateBus;
let daemon: RunningDaemon;
beforeAll(async () => {
  bus = await startBus();
  daemon = await startDaemon({ bus, args: ['--profile', PROFILE] });
});
afterAll(async () => {
  await daemon.stop();
  await bus.stop();
});

/** Starts the built program, with stdin, stdout and stderr to pipes. */
function start(...argv: readonly string[]): ChildProcess & { stdin: NodeJS.WritableStream } {
  return spawn(process.execPath, [MAIN, '--bus', bus.address, ...argv], { stdio: ['pipe', 'pipe', 'pipe'] });
}

async function run(...argv: readonly string[]): Promise<{ code: unknown; stdout: string; stderr: string }> {
  const child = start(...argv);
  const closed = once(child, 'close');
  const [stdout, stderr] = await Promise.all([read(child.stdout), read(child.stderr)]);
  const [code] = (await closed) as readonly unknown[];
  return { code, stdout, stderr };
}

const read = (stream: NodeJS.ReadableStream | null): Promise<string> =>
  stream === null ? Promise.resolve('') : text(stream);

const any = {
  string: expect.any(String) as unknown,
  number: expect.any(Number) as unknown,
  strings: expect.toSatisfy(
    (list: unknown) => Array.isArray(list) && list.every((item) => typeof item === 'string'),
  ) as unknown,
  array: expect.any(Array) as unknown,
  modifiers: expect.toSatisfy(
    (list: unknown) => Array.isArray(list) && list.every((item) => /^0x[0-9a-f]{16}$/.test(String(item))),
  ) as unknown,
};
const POOL = {
  kind: 'pool',
  path: any.string,
  handle: any.string,
  class: any.string,
  limit: any.number,
  live: any.number,
  warm: any.number,
  hits: any.number,
  misses: any.number,
};
const CONSTRAINT = {
  entry: any.number,
  device: any.string,
  constraint: any.string,
  value: expect.anything() as unknown,
  source: any.string,
};
const LAYOUT = {
  format: 'XR24',
  modifier: '0x0000000000000000',
  width: 64,
  height: 32,
  planes: [{ offset: 0, pitch: 256 }],
  size: 8192,
  count: 2,
  pool: any.string,
  cpuAccess: any.string,
};
const DEVICE = {
  kind: 'device',
  path: any.string,
  node: '/dev/dri/card0',
  otherNodes: any.strings,
  number: '226:0',
  subsystem: 'drm',
  driver: 'i915',
  name: any.string,
  uses: any.strings,
  formats: any.array,
  constraints: any.array,
  pools: any.strings,
};
const REQUEST = [
  '--device',
  'cpu:read',
  '--width',
  '64',
  '--height',
  '32',
  '--format',
  'XR24',
  '--count',
  '2',
];

/** Every verb with --json: its operands, and the whole form of what it prints. */
const FORMS: Readonly<Record<string, { argv: readonly string[]; form: unknown }>> = {
  status: {
    argv: [],
    form: {
      kind: 'broker',
      path: '/org/dmabroker1',
      version: any.string,
      maxFdsPerReply: 16,
      liveBytes: any.number,
      liveBuffers: any.number,
      channels: any.number,
      policyFiles: any.strings,
      shortfalls: any.array,
      warnings: any.strings,
    },
  },
  devices: { argv: ['/dev/dri/renderD128'], form: DEVICE },
  pools: { argv: [], form: expect.arrayContaining([POOL]) as unknown },
  allocations: {
    argv: [],
    form: [
      {
        kind: 'allocation',
        path: any.string,
        owner: any.string,
        user: process.getuid?.(),
        unit: any.string,
        label: 'held by the test',
        pool: any.string,
        layout: LAYOUT,
        size: 16_384,
        created: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as unknown,
        state: 'held',
      },
    ],
  },
  top: {
    argv: ['--once'],
    form: {
      time: any.string,
      broker: expect.objectContaining({ kind: 'broker', version: any.string }) as unknown,
      pools: expect.arrayContaining([
        { ...POOL, hitsPerSecond: any.number, missesPerSecond: any.number },
      ]) as unknown,
      owners: [
        {
          owner: any.string,
          user: process.getuid?.(),
          unit: any.string,
          process: any.string,
          state: 'held',
          labels: ['held by the test'],
          allocations: 1,
          buffers: 2,
          size: 16_384,
          allocationsPerSecond: any.number,
        },
      ],
    },
  },
  allocate: { argv: [...REQUEST, '--hold', '0'], form: { path: any.string, layout: LAYOUT } },
  explain: {
    argv: REQUEST,
    form: {
      feasible: true,
      layout: LAYOUT,
      pool: any.string,
      constraints: expect.arrayContaining([CONSTRAINT]) as unknown,
      conflicts: [],
      limits: [],
      suggestions: [],
    },
  },
  advise: { argv: [], form: any.array },
  reload: { argv: [], form: { policyFiles: any.strings, warnings: any.strings } },
  'set-limit': { argv: ['plain', '64M'], form: { handle: any.string, limit: 67_108_864 } },
  reveal: {
    argv: ['plain'],
    form: expect.objectContaining({ handle: any.string, heap: any.string }) as unknown,
  },
  record: {
    argv: [],
    form: expect.objectContaining({ version: any.number, machine: expect.any(Object) as unknown }) as unknown,
  },
};
/** Those that do not end by themselves, or have a test of their own. */
const OTHERS = [
  'monitor',
  'negotiate',
  'join',
  'release',
  'policy check',
  'policy show',
  'policy simulate',
  'try',
];

describe('--json', () => {
  it('is tried of every verb', () => {
    expect([...Object.keys(FORMS), ...OTHERS].sort()).toEqual(VERBS.map(({ name }) => name).sort());
  });

  it.each(Object.entries(FORMS))('%s', async (verb, { argv, form }) => {
    await using broker = await connect({ bus: bus.address });
    const image = { width: 64, height: 32, format: 'XR24', count: 2, label: 'held by the test' };
    await using held = await broker.allocate([{ device: 'cpu', uses: ['read'] }], image);
    const { code, stdout } = await run('--json', verb, ...argv);
    expect(JSON.parse(stdout)).toEqual(form);
    expect(code).toBe(0);
    expect(held.state).toBe('held');
  });

  it('devices has modifiers in hexadecimal', async () => {
    const { stdout } = await run('devices', '/dev/dri/card0', '--json');
    const { formats, constraints } = JSON.parse(stdout) as { formats: unknown[]; constraints: unknown[] };
    expect(formats).toContainEqual({ format: 'XR24', modifiers: any.modifiers });
    expect(constraints).toContainEqual(CONSTRAINT);
    const all = JSON.parse((await run('devices', '--json')).stdout) as { node: string }[];
    expect(all.map(({ node }) => node)).toContain('cpu');
  });

  it('release ends what another holds, by the beginning of its name', async () => {
    await using broker = await connect({ bus: bus.address });
    await using held = await broker.allocate([{ device: 'cpu' }], { size: 4096 });
    const id = held.path.slice(held.path.lastIndexOf('/') + 1);
    const { code, stdout } = await run('--json', 'release', id.slice(0, 12));
    expect([code, JSON.parse(stdout)]).toEqual([0, { released: held.path }]);
    for (const { fd } of held.buffers) fd.close();
    await vi.waitFor(async () => {
      expect(await broker.allocations()).toEqual([]);
    });
    expect((await run('release', id)).stderr).toBe(
      `dmabrokerctl: no allocation begins with '${id}'; dmabrokerctl allocations lists them\n`,
    );
    expect(await run('release', held.path)).toMatchObject({ code: 1, stdout: '' });
  });

  it('monitor', async () => {
    const child = start('--json', 'monitor');
    const closed = once(child, 'close');
    let printed = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      printed += chunk.toString();
    });
    await using broker = await connect({ bus: bus.address });
    while (!printed.includes('"removed"')) {
      await (await broker.allocate([{ device: 'cpu' }], { size: 4096, label: 'seen' })).release();
    }
    child.kill('SIGINT');
    expect(await closed).toEqual([0, null]);
    const changes = printed
      .trimEnd()
      .split('\n')
      .map((line): unknown => JSON.parse(line));
    const removed = expect.objectContaining({ kind: 'allocation', label: 'seen' }) as unknown;
    expect(changes).toContainEqual({ time: any.string, change: 'removed', object: removed });
  });
});

describe('text', () => {
  it.each(Object.entries(FORMS).filter(([verb]) => verb !== 'record'))('%s', async (verb, { argv }) => {
    const { code, stdout, stderr } = await run(verb, ...argv);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout.replaceAll('\n', '')).not.toMatch(/\p{C}/u);
    expect(stdout).not.toContain('undefined');
    expect(stdout).not.toContain('[object');
  });
});

describe('exit code', () => {
  it.each([
    [0, ['status']],
    [1, ['allocate', '--device', '/dev/dri/card9', '--size', '1']],
    [
      1,
      ['explain', '--device', 'cpu:read,max-width=8', '--width', '64', '--height', '8', '--format', 'XR24'],
    ],
    [1, ['explain', '--device', 'cpu', '--size', '1024T']],
    [2, ['allocate']],
    [2, ['dance']],
  ])('%d: %j', async (code, argv) => {
    expect(await run(...argv)).toMatchObject({ code });
  });

  it('3 where there is no daemon', async () => {
    await using empty = await startBus();
    const child = spawn(process.execPath, [MAIN, 'status'], {
      env: { ...process.env, DBUS_SYSTEM_BUS_ADDRESS: empty.address },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const closed = once(child, 'close');
    expect((await text(child.stderr)).split('\n')).toHaveLength(2);
    expect(await closed).toEqual([3, null]);
  });
});

describe('the process', () => {
  const HOLD = ['allocate', '--device', 'cpu', '--size', '4096', '--label', 'process'];
  const labels = async (): Promise<readonly string[]> => {
    await using broker = await connect({ bus: bus.address });
    return (await broker.allocations()).map(({ label }) => label);
  };

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('holds until %s, and leaves nothing', async (signal) => {
    const child = start(...HOLD);
    const closed = once(child, 'close');
    if (child.stdout !== null) await once(child.stdout, 'data');
    expect(await labels()).toEqual(['process']);
    child.kill(signal);
    expect(await closed).toEqual([0, null]);
    expect(await labels()).toEqual([]);
  });

  it('holds until stdin ends', async () => {
    const child = start(...HOLD);
    const closed = once(child, 'close');
    if (child.stdout !== null) await once(child.stdout, 'data');
    expect(await labels()).toEqual(['process']);
    child.stdin.end();
    expect(await closed).toEqual([0, null]);
  });

  it('is quiet when nobody reads on', async () => {
    const child = start('monitor', '--json');
    const closed = once(child, 'close');
    const stderr = read(child.stderr);
    child.stdout?.destroy();
    await using broker = await connect({ bus: bus.address });
    while (child.exitCode === null)
      await (await broker.allocate([{ device: 'cpu' }], { size: 4096 })).release();
    expect(await closed).toEqual([0, null]);
    expect(await stderr).toBe('');
  });
});
