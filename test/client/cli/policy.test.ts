import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { SysfsTree } from '../../tools/sysfs-tree.js';
import { dmabrokerctl } from './program.js';
import { naming } from '../../harness/naming.js';

const PROFILES = new URL('../../fixtures/profiles/', import.meta.url);
const profile = (name: string): string => fileURLToPath(new URL(`${name}.json`, PROFILES));
const MIB = 2 ** 20;

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'dmabrokerctl-policy-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});
const put = (path: string, text: string): void => {
  mkdirSync(dirname(join(directory, path)), { recursive: true });
  writeFileSync(join(directory, path), text);
};
const json = async (...argv: string[]): Promise<unknown> => {
  const { code, stdout, stderr } = await dmabrokerctl([...argv, '--json']);
  expect([code, stderr]).toEqual([0, '']);
  return JSON.parse(stdout);
};

describe('policy check', () => {
  it('says what does not count, where, and what may be meant, and ends with 1', async () => {
    put('dmabroker.conf', '[Device x]\n  PitchAlign=64\nPitchMultiple=64\n');
    put('dmabroker.conf.d/60-a.conf', '[Pool contigous]\nLimit=1G\n');
    const bad = await dmabrokerctl(['policy', 'check', '--policy', directory]);
    expect(bad).toEqual({
      code: 1,
      stderr: '',
      stdout: [
        `${directory}/dmabroker.conf:2:3: unknown key PitchAlign, did you mean PitchMultiple?`,
        `${directory}/dmabroker.conf.d/60-a.conf:1:7: ignored section: the class is one of scattered, contiguous, device, protected, plain, did you mean contiguous?`,
        '',
      ].join('\n'),
    });
    const { code, stdout } = await dmabrokerctl(['policy', 'check', '--json', '--policy', directory]);
    expect([code, JSON.parse(stdout)]).toEqual([
      1,
      {
        files: [`${directory}/dmabroker.conf`, `${directory}/dmabroker.conf.d/60-a.conf`],
        warnings: bad.stdout.trimEnd().split('\n'),
      },
    ]);
  });

  it('finds nothing wrong in what is shipped, below any root', async () => {
    const { code, stdout } = await dmabrokerctl(['policy', 'check', '--root', directory]);
    expect([code, stdout]).toEqual([0, 'Nothing is wrong in 6 files.\n']);
    put('etc/dmabroker/dmabroker.conf.d/60-local.conf', '[Broker]\nMaxBufer=1G\n');
    const other = await dmabrokerctl(['policy', 'check', '--root', directory]);
    expect([other.code, other.stdout]).toEqual([
      1,
      '/etc/dmabroker/dmabroker.conf.d/60-local.conf:2:1: unknown key MaxBufer, did you mean MaxBuffer?\n',
    ]);
  });
});

describe('policy show', () => {
  const row = (stdout: string, heading: string, key: string): string | undefined => {
    const lines = stdout.split('\n');
    const start = lines.findIndex((line) => line.startsWith(heading));
    return lines.slice(start + 1).find((line) => line.startsWith(`  ${key} `));
  };

  it('shows every value as it is written, what it comes to, and where it stands', async () => {
    put(
      'etc/dmabroker/dmabroker.conf.d/60-local.conf',
      '[Pool contiguous]\nIdle=5min\n[Quota user:anna]\nBytes=1 frame\n',
    );
    const { code, stdout } = await dmabrokerctl([
      'policy',
      'show',
      '--root',
      directory,
      profile('raspberry-pi-4'),
    ]);
    expect(code).toBe(0);
    expect(row(stdout, '[Pool contiguous]', 'Limit')).toMatch(
      /min\(80% of heap, 7%\) +409\.6 MiB +policy\/dmabroker\.conf:\d+$/,
    );
    expect(row(stdout, '[Pool contiguous]', 'Idle')).toMatch(
      / 5min +\/etc\/dmabroker\/dmabroker\.conf\.d\/60-local\.conf:2$/,
    );
    expect(row(stdout, '[Pool scattered]', 'Idle')).toMatch(/ 1min +built-in$/);
    expect(row(stdout, '[Quota user:anna]', 'Bytes')).toMatch(/ 1 frame +31\.6 MiB +\/etc\/.*:4$/);
    expect(row(stdout, '/dev/dri/card0', 'offset-multiple')).toMatch(
      / 64 +policy\/dmabroker\.conf\.d\/10-devices-gpu\.conf:\d+$/,
    );
  });

  it('says the same in JSON', async () => {
    put(
      'dmabroker.conf',
      '[Pool contiguous]\nLimit=50% of heap\n[Device vc4-drm]\nPitchMultiple[scanout]=128\nForeignImports=yes\n[Heap linux,cma]\nOrder=3\n',
    );
    const shown = await json('policy', 'show', '--policy', directory, profile('raspberry-pi-4'));
    const source = (line: number): string => `policy:${directory}/dmabroker.conf:${line}`;
    expect(shown).toMatchObject({
      files: [`${directory}/dmabroker.conf`],
      warnings: [],
      devices: expect.arrayContaining([
        {
          node: '/dev/dri/card1',
          driver: 'vc4-drm',
          rules: {
            known: true,
            limits: [{ limit: 'pitch-multiple', value: 128, source: source(4), uses: ['scanout'] }],
            foreignImports: { value: true, source: source(5) },
          },
        },
      ]) as unknown,
      heaps: expect.arrayContaining([
        { id: 'dma-heap:linux,cma', rules: { order: { value: 3, source: source(7) } } },
      ]) as unknown,
    });
    const { words } = shown as { words: readonly unknown[] };
    expect(words).toContainEqual({
      heading: '[Pool contiguous]',
      key: 'Limit',
      text: '50% of heap',
      source: source(2),
      here: [{ bytes: 256 * MIB, heap: 'dma-heap:linux,cma' }],
    });
    expect(words).toContainEqual({
      heading: '[Pool protected]',
      key: 'Limit',
      text: 'min(80% of heap, 5%)',
      source: 'policy:built-in',
      here: [],
    });
  });

  it('needs no profile: it reads the machine below the root', async () => {
    using tree = new SysfsTree();
    tree.memory('CmaTotal: 65536 kB\n').files({ '/dev/dma_heap/reserved': '', '/dev/dma_heap/system': '' });
    const { code, stdout } = await dmabrokerctl(['policy', 'show', '--root', tree.root]);
    expect(code).toBe(0);
    // 25 % of 1,000,000 KiB.
    expect(row(stdout, '[Broker]', 'MaxBuffer')).toMatch(/ 244\.1 MiB /);
  });

  it('tells what is wrong beside what holds', async () => {
    put('dmabroker.conf', 'nonsense\n');
    const { code, stderr } = await dmabrokerctl([
      'policy',
      'show',
      '--policy',
      directory,
      profile('steam-deck'),
    ]);
    expect(code).toBe(0);
    expect(stderr.startsWith(`${directory}/dmabroker.conf:1:1: `)).toBe(true);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  });

  it('takes one profile, and refuses what is none', async () => {
    expect((await dmabrokerctl(['policy', 'show', 'a', 'b'])).code).toBe(2);
    put('a.json', '{}');
    const { code, stderr } = await dmabrokerctl(['policy', 'show', join(directory, 'a.json')]);
    expect([code, stderr]).toEqual([2, expect.stringMatching(naming('$.version'))]);
    expect((await dmabrokerctl(['policy', 'show', '/nowhere.json'])).stderr).toMatch(naming('/nowhere.json'));
  });
});

describe('policy simulate', () => {
  const LITTLE = '[Pool contiguous]\nLimit=60M\n';

  it('shows pools, pictures and what lacks, for each machine', async () => {
    put('dmabroker.conf', `${LITTLE}[Device vc4-drm|unicam]\nContiguous=yes\n`);
    const { code, stdout } = await dmabrokerctl([
      ...['policy', 'simulate', '--policy', directory],
      ...[profile('raspberry-pi-4'), profile('intel-laptop')],
    ]);
    expect(code).toBe(0);
    const rows = stdout.split('\n').map((line) => line.split(/ {2,}/));
    expect(rows).toContainEqual([
      ...['raspberry-pi-4', 'contiguous', 'dma-heap:linux,cma', '60 MiB', '0.8 %', '128 MiB'],
      `${directory}/dmabroker.conf:2`,
    ]);
    expect(rows).toContainEqual([
      ...[
        'raspberry-pi-4',
        'camera imx477 10-001a',
        '4056×3040',
        'packed 12-bit Bayer',
        '17.6 MiB',
        '4',
        '1',
        '3',
      ],
      'contiguous',
    ]);
    expect(rows.find(([name, pool]) => name === 'intel-laptop' && pool === 'together')?.[3]).toMatch(/%$/);
    expect(stdout).toMatch(/^.*\b3\b.*\b3840×2160\b.*\b4\b.*\b4056×3040\b/m);
  });

  it('says the same in JSON', async () => {
    put('dmabroker.conf', LITTLE);
    const [machine, ...others] = (await json(
      ...['policy', 'simulate', '--policy', directory, profile('raspberry-pi-4')],
    )) as readonly Record<string, unknown>[];
    expect(others).toEqual([]);
    expect(machine).toMatchObject({
      name: 'raspberry-pi-4',
      machine: 'Raspberry Pi 4 Model B Rev 1.4',
      maxBuffer: { value: 1024 * MIB, source: 'policy:built-in' },
      pools: expect.arrayContaining([
        {
          class: 'contiguous',
          heap: 'dma-heap:linux,cma',
          capacity: 512 * MIB,
          limit: { value: 60 * MIB, source: `policy:${directory}/dmabroker.conf:2` },
          share: 0.0077,
          warm: { value: 128 * MIB, source: 'policy:built-in' },
          idle: { value: 60_000, source: 'policy:built-in' },
          access: { value: 'users', source: 'policy:built-in' },
        },
      ]) as unknown,
      pictures: [
        {
          kind: 'display',
          name: 'HDMI-A-1',
          device: '/dev/dri/card1',
          width: 3840,
          height: 2160,
          format: '32-bit RGB',
          bytes: 33_177_600,
          asked: 3,
          source: 'policy:built-in',
          held: 3,
          fitAlone: expect.any(Number) as unknown,
          classes: ['scattered', 'device', 'contiguous'],
        },
        { kind: 'camera', name: 'imx477 10-001a', bytes: 18_495_360, asked: 4, held: 4 },
      ],
      shortfalls: [],
    });
    const { handOut, ram, share } = machine as { handOut: number; ram: number; share: number };
    expect(share).toBeCloseTo(handOut / ram, 4);
  });

  it('draws what it found', async () => {
    put('dmabroker.conf', LITTLE);
    const file = join(directory, 'a.svg');
    const words = [
      'policy',
      'simulate',
      '--policy',
      directory,
      profile('raspberry-pi-4'),
      profile('steam-deck'),
    ];
    const { code, stdout, stderr } = await dmabrokerctl([...words, '--svg', file]);
    expect([code, stderr]).toEqual([0, `wrote ${file}\n`]);
    // The picture does not take the place of the table.
    expect(stdout).toBe((await dmabrokerctl(words)).stdout);
    const picture = readFileSync(file, 'utf8');
    for (const text of [
      'raspberry-pi-4',
      'steam-deck',
      'camera imx477 10-001a',
      'prefers-color-scheme: dark',
    ])
      expect(picture).toContain(text);
    const { code: refused } = await dmabrokerctl([
      'policy',
      'simulate',
      '--svg',
      directory,
      profile('steam-deck'),
    ]);
    expect(refused).toBe(2);
  });
});

describe('a verb of two words', () => {
  it('is asked for where only the first is said', async () => {
    const { code, stderr } = await dmabrokerctl(['policy']);
    expect(code).toBe(2);
    expect(stderr).toMatch(naming('policy show', 'policy check', 'policy simulate'));
    expect(await dmabrokerctl(['policy', 'shwo'])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(naming("'policy shwo'")) as string,
    });
  });

  it('has help, as its group has', async () => {
    expect((await dmabrokerctl(['policy', '--help'])).stdout).toMatch(/policy show [^]*policy simulate /);
    expect((await dmabrokerctl(['policy', 'check', '--help'])).stdout).toMatch(
      /^Usage: dmabrokerctl policy check \[OPTIONS\]\n/,
    );
  });
});
