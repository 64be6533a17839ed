import { natureOfHeap, withCmaTotal, type HeapEvidence } from '../heap-class.js';
import type { HeapFacts } from '../inventory.js';
import { kernelSource, type KernelFiles } from '../sysfs.js';
import { DUMP_LIMITS } from './dump-types.js';
import { standIn } from './unknown.js';

const CLASS = '/sys/class/dma_heap';
const UDMABUF = '/sys/class/misc/udmabuf';

/** The heaps that a listing of /sys shows; undefined where no dump speaks of heaps. */
export async function heapsOf(
  files: KernelFiles,
  evidence: HeapEvidence,
): Promise<readonly HeapFacts[] | undefined> {
  const names = (await files.list(CLASS)).slice(0, DUMP_LIMITS.cards);
  const hasUdmabuf = await files.exists(UDMABUF);
  if (names.length === 0 && !hasUdmabuf) return undefined;
  const heaps = names
    .filter((name) => /^[!-~]+$/.test(name))
    .map((name) => ({ ...dmaHeap(name), ...natureOfHeap(name, evidence) }));
  return [...withCmaTotal(heaps, evidence.cmaTotal), ...(hasUdmabuf ? [udmabuf] : [])];
}

const dmaHeap = (name: string) =>
  ({
    id: `dma-heap:${name}`,
    kind: 'dma-heap',
    name,
    node: `/dev/dma_heap/${name}`,
    cpuAccess: 'cached',
    usable: true,
  }) as const;

const udmabuf: HeapFacts = {
  id: 'udmabuf',
  kind: 'udmabuf',
  name: 'udmabuf',
  node: '/dev/udmabuf',
  class: { value: 'scattered', source: kernelSource(UDMABUF) },
  cpuAccess: 'cached',
  usable: true,
};

/** Where no dump says which heaps there are: one of each class that most machines have, so that layouts can be decided. */
export const STAND_IN_HEAPS: readonly HeapFacts[] = [
  { ...dmaHeap('system'), class: standIn('scattered') },
  { ...dmaHeap('reserved'), class: standIn('contiguous') },
];
