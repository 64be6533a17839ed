import type { MemoryClass } from '../../dbus/names.js';
import type { ReservedMemory } from './device-tree.js';
import type { Fact } from './inventory.js';
import { kernelSource } from './sysfs.js';

/** A CMA region of /sys/kernel/mm/cma. */
export interface CmaRegion {
  readonly name: string;
  readonly path: string;
  /** Bytes. */
  readonly size: bigint | undefined;
}

/** What tells a dma-heap's class. */
export interface HeapEvidence {
  readonly regions: readonly CmaRegion[];
  readonly reserved: readonly ReservedMemory[];
  /** Bytes of all CMA regions; absent without CMA. */
  readonly cmaTotal: bigint | undefined;
}

/** A heap's class with what proves it, and what the proof says besides. */
export interface HeapNature {
  readonly class: Fact<MemoryClass>;
  readonly capacity?: Fact<bigint>;
  readonly addressBits?: Fact<number>;
}

/** The one name that the kernel has fixed: pages from anywhere. */
const SYSTEM = 'system';
/** Names of the default CMA heap: from the device tree, from `cma=` on the command line, since Linux 6.17. */
const DEFAULT_CMA: ReadonlySet<string> = new Set(['linux,cma', 'reserved', 'default_cma_region']);
/** Words in a name by which vendors say that nobody but the secure world may look. */
const SECURE = /(^|[^a-z])(secure|protected|restricted)([^a-z]|$)/;
const CMA = /(^|[^a-z])cma([^a-z]|$)/;

/**
 * The class of a dma-heap. Contiguous needs proof: memory of its name that was set aside, or a CMA name while the kernel has
 * CMA memory. Memory that claims to be secure is believed, so that nobody gets it who did not ask. Everything else counts
 * as scattered, which promises least.
 */
export function natureOfHeap(name: string, evidence: HeapEvidence): HeapNature {
  const byName = kernelSource(`/dev/dma_heap/${name}`);
  if (name === SYSTEM) return { class: { value: 'scattered', source: byName } };
  const secure = SECURE.test(name.toLowerCase());
  const set = setAside(name, evidence);
  if (set !== undefined) return secure ? { ...set, class: { ...set.class, value: 'protected' } } : set;
  if (secure) return { class: { value: 'protected', source: byName } };
  if (evidence.cmaTotal !== undefined && (DEFAULT_CMA.has(name) || CMA.test(name)))
    return { class: { value: 'contiguous', source: 'kernel:/proc/meminfo' } };
  return { class: { value: 'scattered', source: byName } };
}

/** Memory that carries the heap's name. */
function setAside(name: string, { regions, reserved }: HeapEvidence): HeapNature | undefined {
  const node = reserved.find((memory) => isNamed(memory.name, name));
  if (node !== undefined) {
    const source = kernelSource(node.path);
    return {
      class: { value: 'contiguous', source },
      ...(node.size !== undefined && { capacity: { value: node.size, source } }),
      ...(node.top && { addressBits: { value: bitsBelow(node.top), source } }),
    };
  }
  const region = regions.find((cma) => cma.name === name);
  if (region === undefined) return undefined;
  const source = kernelSource(region.path);
  return {
    class: { value: 'contiguous', source },
    ...(region.size !== undefined && { capacity: { value: region.size, source } }),
  };
}

/** A node's name has its address behind it, which not every heap takes over. */
const isNamed = (node: string, heap: string): boolean => node === heap || node.split('@')[0] === heap;

/** Address bits of what lies below an address. */
const bitsBelow = (top: bigint): number => Math.min(64, (top - 1n).toString(2).length);
