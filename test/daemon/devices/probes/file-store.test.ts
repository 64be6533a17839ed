import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { FileProbeStore } from '../../../../daemon/devices/probes/file-store.js';
import {
  NOTHING_KNOWN,
  type ProbeRecord,
  CachingStore,
} from '../../../../daemon/devices/probes/probe-record.js';
import { openFds } from '../../../harness/leaks.js';

const RECORD: ProbeRecord = {
  classes: new Map([['dma-heap:reserved', 'contiguous']]),
  retention: new Map([['udmabuf', { value: 'nothing', source: 'probe:VMSPLICE:EFAULT' }]]),
  reach: new Map([['gpu < dma-heap:reserved', [{ reachable: true, source: 'trial:ADDFB2' }]]]),
};

let root: string;
let directory: string;
let file: string;
let logged: string[];
let store: FileProbeStore;
let before: ReadonlyMap<number, string>;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'trial-store-'));
  directory = join(root, 'state');
  file = join(directory, 'trials.json');
  logged = [];
  store = new FileProbeStore(directory, { warn: (_details, message) => void logged.push(message) });
  before = openFds();
});
afterEach(() => {
  expect([...openFds()]).toEqual([...before]);
  rmSync(root, { recursive: true });
});

describe('FileTrialStore', () => {
  it('finds what it kept, and makes the directory for it', async () => {
    expect(await store.read('m')).toEqual(NOTHING_KNOWN);
    await store.write('m', RECORD);
    expect(await store.read('m')).toEqual(RECORD);
    expect(readdirSync(directory)).toEqual(['trials.json']);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(logged).toEqual([]);
  });

  it('believes nothing of another kernel, and says nothing of it', async () => {
    await store.write('m', RECORD);
    expect(await store.read('n')).toEqual(NOTHING_KNOWN);
    expect(logged).toEqual([]);
  });

  it('replaces what was there, whatever a start that was cut short left', async () => {
    await store.write('m', RECORD);
    writeFileSync(`${file}.new`, 'half of it');
    await store.write('m', NOTHING_KNOWN);
    expect(await store.read('m')).toEqual(NOTHING_KNOWN);
    expect(readdirSync(directory)).toEqual(['trials.json']);
  });

  it('writes nowhere else when a link stands where it writes', async () => {
    mkdirSync(directory);
    const victim = join(root, 'victim');
    writeFileSync(victim, 'precious');
    symlinkSync(victim, `${file}.new`);
    await store.write('m', RECORD);
    expect(readFileSync(victim, 'utf8')).toBe('precious');
    expect(await store.read('m')).toEqual(RECORD);
  });

  it.each<[string, () => void]>([
    [
      'is damaged',
      () => {
        writeFileSync(file, '{"version":1,');
      },
    ],
    [
      'is no text',
      () => {
        writeFileSync(file, Buffer.from([0xff, 0xfe, 0]));
      },
    ],
    [
      'is too long',
      () => {
        writeFileSync(file, ' '.repeat(1 << 20));
      },
    ],
    [
      'is a directory',
      () => {
        mkdirSync(file);
      },
    ],
  ])('says of a file that %s that it is of no use, and goes on', async (_, make) => {
    mkdirSync(directory);
    make();
    expect(await store.read('m')).toEqual(NOTHING_KNOWN);
    expect(logged).toHaveLength(1);
    expect(logged[0]).toContain('trials.json');
  });

  it('writes over a damaged file', async () => {
    mkdirSync(directory);
    writeFileSync(file, 'damaged');
    await store.write('m', RECORD);
    expect(await store.read('m')).toEqual(RECORD);
  });

  it('keeps the old file when the new one cannot take its place, and says so', async () => {
    mkdirSync(file, { recursive: true });
    await store.write('m', RECORD);
    expect(statSync(file).isDirectory()).toBe(true);
    expect(readdirSync(directory)).toEqual(['trials.json']);
    expect(logged).toHaveLength(1);
  });

  it.skipIf(process.getuid?.() === 0)('goes on where it may not write', async () => {
    mkdirSync(directory);
    chmodSync(directory, 0o500);
    await store.write('m', RECORD);
    expect(logged).toHaveLength(1);
    expect(existsSync(file)).toBe(false);
  });

  it('goes on where the directory cannot be made', async () => {
    writeFileSync(directory, 'a file');
    await store.write('m', RECORD);
    expect(logged).toHaveLength(1);
  });

  it('keeps of too much what was of use last', async () => {
    const many = new Map(
      Array.from({ length: 20_000 }, (_, i) => [`pair ${i}`, [{ reachable: true, source: 'trial:ADDFB2' }]]),
    );
    await store.write('m', { ...RECORD, reach: many });
    expect(statSync(file).size).toBeLessThanOrEqual(512 * 1024);
    const { reach } = await store.read('m');
    expect(reach.size).toBeGreaterThan(1000);
    expect([...reach.keys()]).toEqual([...many.keys()].slice(0, reach.size));
    expect(logged).toEqual([]);
  });
});

describe('RememberingStore', () => {
  it('remembers without keeping', async () => {
    const memory = new CachingStore();
    expect(await memory.read('m')).toEqual(NOTHING_KNOWN);
    await memory.write('m', RECORD);
    expect(await memory.read('m')).toBe(RECORD);
    expect(await memory.read('n')).toEqual(NOTHING_KNOWN);
  });

  it('keeps what it remembers, and reads what was kept once', async () => {
    await store.write('m', RECORD);
    const memory = new CachingStore(store);
    expect(await memory.read('m')).toEqual(RECORD);
    const more = { ...RECORD, classes: new Map() };
    await memory.write('m', more);
    expect(await store.read('m')).toEqual(more);
    rmSync(file);
    expect(await memory.read('m')).toBe(more);
  });
});
