import type { CpuAccess } from '../../dbus/names.js';
import { KernelError } from '../kernel/errors.js';
import type { MemoryCalls } from '../kernel/kernel.js';
import { natureOfHeap, type CmaRegion, type HeapEvidence, withCmaTotal } from './heap-class.js';
import type { HeapFacts } from './inventory.js';
import { NodeCache, type NodeResult } from './node-cache.js';
import { kernelSource, type KernelFiles } from './sysfs.js';

const HEAPS = '/dev/dma_heap';
const CMA = '/sys/kernel/mm/cma';
const UDMABUF = '/dev/udmabuf';
const MIB = 1024n * 1024n;

/** The regions that the kernel was built to show. @param pageSize bytes */
export async function readCmaRegions(files: KernelFiles, pageSize: bigint): Promise<readonly CmaRegion[]> {
  const regions: CmaRegion[] = [];
  for (const name of await files.list(CMA)) {
    const path = `${CMA}/${name}`;
    const pages = await files.integer(`${path}/total_pages`, 0, Number.MAX_SAFE_INTEGER);
    regions.push({ name, path, size: pages === undefined ? undefined : BigInt(pages) * pageSize });
  }
  return regions;
}

/** The heaps of /dev/dma_heap, and udmabuf. */
export async function readHeaps(
  files: KernelFiles,
  memory: MemoryCalls,
  evidence: HeapEvidence,
  nodeCache = new NodeCache<HeapFacts>(),
): Promise<readonly HeapFacts[]> {
  nodeCache.turn();
  const heaps: HeapFacts[] = [];
  for (const node of await dmaHeapNodes(files)) {
    const known = await nodeCache.look(files, node, (own) =>
      Promise.resolve(asked(dmaHeap(own, memory, node, evidence))),
    );
    if (known !== undefined) heaps.push(known.facts);
  }
  const isThere = await files.exists(UDMABUF);
  const udmabuf = isThere
    ? await nodeCache.look(files, UDMABUF, async (own) => asked(await readUdmabuf(own, memory)))
    : undefined;
  return [...withCmaTotal(heaps, evidence.cmaTotal), ...(udmabuf === undefined ? [] : [udmabuf.facts])];
}

const asked = (facts: HeapFacts): NodeResult<HeapFacts> => ({ facts, settled: facts.usable });

async function dmaHeapNodes(files: KernelFiles): Promise<readonly string[]> {
  const nodes: string[] = [];
  for (const name of await files.list(HEAPS)) {
    const node = `${HEAPS}/${name}`;
    if (/^[!-~]+$/.test(name)) nodes.push(node);
    else files.warn(node, 'is left out: its name is not of printable characters');
  }
  return nodes;
}

function dmaHeap(files: KernelFiles, memory: MemoryCalls, node: string, evidence: HeapEvidence): HeapFacts {
  const name = node.slice(HEAPS.length + 1);
  return {
    id: `dma-heap:${name}`,
    kind: 'dma-heap',
    name,
    node,
    ...natureOfHeap(name, evidence),
    cpuAccess: cpuAccessOf(name),
    ...tryToOpen(files, memory, node),
  };
}

/** No call tells how a heap maps; vendors tell it by the name. */
const cpuAccessOf = (name: string): CpuAccess => (/uncached/i.test(name) ? 'uncached' : 'cached');

async function readUdmabuf(files: KernelFiles, memory: MemoryCalls): Promise<HeapFacts> {
  const path = '/sys/module/udmabuf/parameters/size_limit_mb';
  const limit = await files.integer(path, 1, 0x7fff_ffff);
  return {
    id: 'udmabuf',
    kind: 'udmabuf',
    name: 'udmabuf',
    node: UDMABUF,
    class: { value: 'scattered', source: kernelSource(UDMABUF) },
    cpuAccess: 'cached',
    ...(limit !== undefined && { maxBuffer: { value: BigInt(limit) * MIB, source: kernelSource(path) } }),
    ...tryToOpen(files, memory, UDMABUF),
  };
}

/** Opening a heap disturbs nothing, and tells whether the daemon may. */
function tryToOpen(
  files: KernelFiles,
  memory: MemoryCalls,
  node: string,
): Pick<HeapFacts, 'usable' | 'unusable'> {
  try {
    memory.openNode(files.host(node)).close();
    return { usable: true };
  } catch (error) {
    if (!(error instanceof KernelError)) throw error;
    files.warn(node, `cannot be opened: ${error.code}`);
    return { usable: false, unusable: error.code };
  }
}
