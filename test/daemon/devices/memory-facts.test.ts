import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { readMemory } from '../../../daemon/devices/memory-facts.js';
import { KernelFiles } from '../../../daemon/devices/sysfs.js';
import { SysfsTree } from '../../tools/sysfs-tree.js';
import { naming } from '../../harness/naming.js';

let tree: SysfsTree;
let warnings: string[];
beforeEach(() => {
  tree = new SysfsTree();
  warnings = [];
});
afterEach(() => {
  tree[Symbol.dispose]();
});

const read = (isLive: boolean, reader: () => Promise<number> = async () => Promise.resolve(7_000_000_000)) =>
  readMemory(new KernelFiles(tree.root, (text) => warnings.push(text)), reader, isLive);

const MEMINFO = 'kernel:/proc/meminfo';
const GIB = 1024n ** 3n;

/** An entry of /proc/self/auxv and the end of the vector, in words of 8 or 4 bytes. */
function auxv(word: 8 | 4, page: number): Buffer {
  const words = [33, 0x7ff0, 6, page, 0, 0];
  const buffer = Buffer.alloc(words.length * word);
  for (const [i, value] of words.entries()) buffer.writeUInt32LE(value, i * word);
  return buffer;
}

describe('readMemory', () => {
  it('reads a tree by its own files', async () => {
    tree.memory();
    expect(await read(false)).toEqual({
      ram: { value: 1_024_000_000n, source: MEMINFO },
      ramTop: { value: 4n * GIB + GIB / 2n, source: 'kernel:/proc/zoneinfo' },
      cmaTotal: 0n,
      pageSize: 4096n,
    });
    expect(warnings).toEqual([]);
  });

  it('asks for the RAM of the live machine', async () => {
    tree.memory();
    expect((await read(true)).ram).toEqual({ value: 7_000_000_000n, source: MEMINFO });
  });

  it.each<[string, () => Promise<number>]>([
    ['fails', async () => Promise.reject(new Error('no'))],
    ['makes no sense', async () => Promise.resolve(NaN)],
  ])('falls back on the files where the answer %s', async (_, reader) => {
    tree.memory();
    expect((await read(true, reader)).ram.value).toBe(1_024_000_000n);
    expect(warnings).toEqual([expect.stringMatching(naming('/proc/meminfo', 'RAM'))]);
  });

  it('counts the CMA memory', async () => {
    tree.memory('CmaTotal:         262144 kB\n');
    expect((await read(false)).cmaTotal).toBe(GIB / 4n);
  });

  it('knows above which zones there is none of it', async () => {
    const zone = (name: string, start: number, pages: number, cma: number): string =>
      `Node 0, zone ${name}\n        spanned  ${pages}\n        present  ${pages}\n        cma      ${cma}\n  start_pfn:           ${start}\n`;
    tree.memory('CmaTotal:         262144 kB\n').files({
      '/proc/zoneinfo': zone('DMA', 0, 0x10_0000, 65_536) + zone('Normal', 0x10_0000, 0x30_0000, 0),
    });
    expect(await read(false)).toMatchObject({
      ramTop: { value: 16n * GIB },
      cmaTop: { value: 4n * GIB, source: 'kernel:/proc/zoneinfo' },
    });
  });

  it.each([8, 4] as const)('knows the page of a process of %i-byte words', async (word) => {
    tree.memory().files({ '/proc/self/auxv': auxv(word, 16_384) });
    const { pageSize, ramTop } = await read(false);
    expect(pageSize).toBe(16_384n);
    expect(ramTop.value).toBe(4n * (4n * GIB + GIB / 2n));
  });

  it('takes RAM to end at its size where no zone says otherwise', async () => {
    tree.memory().files({ '/proc/zoneinfo': 'Node 0, zone Normal\n  spanned banana\n' });
    expect((await read(false)).ramTop).toEqual({ value: 1_024_000_000n, source: MEMINFO });
    expect(warnings).toEqual([expect.stringMatching(naming('/proc/zoneinfo', 'RAM'))]);
  });

  it('asks the running machine about a tree that is silent', async () => {
    expect((await read(false)).ram.value).toBe(7_000_000_000n);
    expect(warnings).toContainEqual(expect.stringMatching(naming('/proc/meminfo', 'MemTotal')));
  });

  it('finds RAM to end no lower than its size on this machine', async () => {
    const files = new KernelFiles('', (text) => warnings.push(text));
    const { ram, ramTop } = await readMemory(files, async () => Promise.resolve(1), false);
    expect(ramTop.value).toBeGreaterThanOrEqual(ram.value);
  });
});
