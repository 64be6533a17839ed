import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { HeapEvidence } from '../../../daemon/devices/heap-class.js';
import { readCmaRegions, readHeaps } from '../../../daemon/devices/heap-facts.js';
import { KernelFiles } from '../../../daemon/devices/sysfs.js';
import { FakeKernel } from '../../tools/fake-drivers.js';
import { SysfsTree } from '../../tools/sysfs-tree.js';
import { naming } from '../../harness/naming.js';

const NOTHING: HeapEvidence = { regions: [], reserved: [], cmaTotal: 0n };
const MIB = 1024n * 1024n;

let tree: SysfsTree;
let warnings: string[];
let files: KernelFiles;
beforeEach(() => {
  tree = new SysfsTree();
  warnings = [];
  files = new KernelFiles(tree.root, (text) => warnings.push(text));
});
afterEach(() => {
  tree[Symbol.dispose]();
});

interface Known {
  readonly evidence?: HeapEvidence;
  readonly kernel?: FakeKernel;
}
const read = ({ evidence = NOTHING, kernel = new FakeKernel() }: Known = {}) =>
  readHeaps(files, kernel.memory, evidence);

/** A CMA region of so many bytes, or of a size that nobody publishes. */
const region = (name: string, size?: bigint) => ({ name, path: `/sys/kernel/mm/cma/${name}`, size });

describe('readHeaps', () => {
  it('finds none on a machine without any', async () => {
    expect(await read()).toEqual([]);
    expect(warnings).toEqual([]);
  });

  it('finds the dma-heaps and udmabuf, and opens each only to see that it may', async () => {
    tree.files({
      '/dev/dma_heap/system': '',
      '/dev/dma_heap/linux,cma': '',
      '/dev/udmabuf': '',
      '/sys/module/udmabuf/parameters/size_limit_mb': '64\n',
    });
    const kernel = new FakeKernel();
    const evidence = { ...NOTHING, regions: [region('linux,cma')], cmaTotal: 256n * MIB };
    const heaps = await read({ evidence, kernel });
    expect(heaps).toEqual([
      {
        id: 'dma-heap:linux,cma',
        kind: 'dma-heap',
        name: 'linux,cma',
        node: '/dev/dma_heap/linux,cma',
        class: { value: 'contiguous', source: 'kernel:/sys/kernel/mm/cma/linux,cma' },
        capacity: { value: 256n * MIB, source: 'kernel:/proc/meminfo' },
        cpuAccess: 'cached',
        usable: true,
      },
      {
        id: 'dma-heap:system',
        kind: 'dma-heap',
        name: 'system',
        node: '/dev/dma_heap/system',
        class: { value: 'scattered', source: 'kernel:/dev/dma_heap/system' },
        cpuAccess: 'cached',
        usable: true,
      },
      {
        id: 'udmabuf',
        kind: 'udmabuf',
        name: 'udmabuf',
        node: '/dev/udmabuf',
        class: { value: 'scattered', source: 'kernel:/dev/udmabuf' },
        maxBuffer: { value: 64n * MIB, source: 'kernel:/sys/module/udmabuf/parameters/size_limit_mb' },
        cpuAccess: 'cached',
        usable: true,
      },
    ]);
    expect(kernel.opened.map(({ open }) => open)).toEqual([false, false, false]);
    expect(warnings).toEqual([]);
  });

  it('takes the total of CMA memory for no heap in particular where two share it', async () => {
    tree.files({ '/dev/dma_heap/cma-uncached': '', '/dev/dma_heap/linux,cma': '' });
    const regions = [region('cma-uncached'), region('linux,cma')];
    const heaps = await read({ evidence: { ...NOTHING, regions, cmaTotal: MIB } });
    expect(heaps.map(({ name, cpuAccess, capacity }) => [name, cpuAccess, capacity])).toEqual([
      ['cma-uncached', 'uncached', undefined],
      ['linux,cma', 'cached', undefined],
    ]);
  });

  it('keeps a heap that may not be opened, and says why it is of no use', async () => {
    tree.files({ '/dev/dma_heap/system': '', '/dev/udmabuf': '' });
    const heaps = await read({ kernel: new FakeKernel({ closed: { system: 'EACCES' } }) });
    expect(heaps.map(({ id, usable, unusable }) => [id, usable, unusable])).toEqual([
      ['dma-heap:system', false, 'EACCES'],
      ['udmabuf', true, undefined],
    ]);
    expect(warnings).toEqual([expect.stringMatching(naming('/dev/dma_heap/system', 'EACCES'))]);
  });

  it('leaves out a heap whose name no text can carry', async () => {
    tree.files({ '/dev/dma_heap/a b': '', '/dev/dma_heap/system': '' });
    expect((await read()).map(({ name }) => name)).toEqual(['system']);
    expect(warnings).toEqual([expect.stringMatching(naming('/dev/dma_heap/a b'))]);
  });

  it('does without a size limit that makes no sense', async () => {
    tree.files({ '/dev/udmabuf': '', '/sys/module/udmabuf/parameters/size_limit_mb': '-5\n' });
    expect((await read())[0]).not.toHaveProperty('maxBuffer');
    expect(warnings).toHaveLength(1);
  });
});

describe('readCmaRegions', () => {
  it('measures the regions in pages', async () => {
    tree.files({
      '/sys/kernel/mm/cma/reserved/total_pages': '32768\n',
      '/sys/kernel/mm/cma/broken/total_pages': 'x',
    });
    expect(await readCmaRegions(files, 4096n)).toEqual([
      { name: 'broken', path: '/sys/kernel/mm/cma/broken', size: undefined },
      { name: 'reserved', path: '/sys/kernel/mm/cma/reserved', size: 128n * MIB },
    ]);
    expect(warnings).toHaveLength(1);
  });
});
