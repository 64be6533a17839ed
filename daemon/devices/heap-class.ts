import type { MemoryClass } from '../../dbus/names.js';
import type { ReservedMemory } from './device-tree.js';
import type { Fact, HeapFacts } from './inventory.js';
import { kernelSource } from './sysfs.js';
import { MEMINFO } from './memory-facts.js';

/** A CMA region of /sys/kernel/mm/cma. */
export interface CmaRegion {
  readonly name: string;
  readonly path: string;
  /** Bytes. */
  readonly size: bigint | undefined;
}

/** What the kernel publishes of memory that was set aside. */
export interface HeapEvidence {
  readonly regions: readonly CmaRegion[];
  readonly reserved: readonly ReservedMemory[];
  /** Bytes of all CMA regions; 0 without CMA. */
  readonly cmaTotal: bigint;
  /** First address above all of them, where the kernel tells. */
  readonly cmaTop?: Fact<bigint>;
}

/** A heap's class with what proves it, and what the proof says besides. */
export interface HeapNature {
  readonly class: Fact<MemoryClass>;
  readonly capacity?: Fact<bigint>;
  readonly addressBits?: Fact<number>;
}

/** The kernel's own heap of single pages; nothing that was set aside can have taken its name. */
const SYSTEM = 'system';

/**
 * The class of a dma-heap as far as the kernel publishes it: contiguous when memory of its name was set aside, which is
 * a link and no guess, however the name is spelled. Everything else counts as scattered, which promises least, until
 * trials see how the heap behaves; what nothing but the name tells is for policy's rules.
 */
export function natureOfHeap(name: string, evidence: HeapEvidence): HeapNature {
  const set = name === SYSTEM ? undefined : setAside(name, evidence);
  return set ?? { class: { value: 'scattered', source: kernelSource(`/dev/dma_heap/${name}`) } };
}

/** Memory that carries the heap's name. */
function setAside(name: string, { regions, reserved, cmaTop }: HeapEvidence): HeapNature | undefined {
  const node = reserved.find((memory) => isNamed(memory.name, name));
  if (node !== undefined) {
    const source = kernelSource(node.path);
    return {
      class: { value: 'contiguous', source },
      ...(node.size !== undefined && { capacity: { value: node.size, source } }),
      ...(node.top
        ? { addressBits: { value: bitsBelow(node.top), source } }
        : node.reusable && cmaBits(cmaTop)),
    };
  }
  const region = regions.find((cma) => cma.name === name);
  if (region === undefined) return undefined;
  const source = kernelSource(region.path);
  return {
    class: { value: 'contiguous', source },
    ...(region.size !== undefined && { capacity: { value: region.size, source } }),
    ...cmaBits(cmaTop),
  };
}

/** A node's name has its address behind it, which not every heap takes over. */
const isNamed = (node: string, heap: string): boolean => node === heap || node.split('@')[0] === heap;

/** How high CMA memory reaches at most: to the top of the highest zone that has any. */
export const cmaBits = (cmaTop: Fact<bigint> | undefined): Pick<HeapNature, 'addressBits'> =>
  cmaTop === undefined ? {} : { addressBits: { value: bitsBelow(cmaTop.value), source: cmaTop.source } };

/** Address bits of what lies below an address. */
const bitsBelow = (top: bigint): number => Math.min(64, (top - 1n).toString(2).length);

const SOURCE = kernelSource(MEMINFO);

/**
 * The one contiguous heap that only the total of CMA memory speaks for can hand out no more than that; where several are
 * such, it speaks for none of them. Heaps may have become contiguous since the total was given to another.
 * @param cmaTotal bytes of all CMA regions; 0 without CMA
 */
export function withCmaTotal(heaps: readonly HeapFacts[], cmaTotal: bigint): readonly HeapFacts[] {
  const isUnmeasured = ({ class: { value }, capacity }: HeapFacts): boolean =>
    value === 'contiguous' && (capacity === undefined || capacity.source === SOURCE);
  const isOne = cmaTotal > 0n && heaps.filter(isUnmeasured).length === 1;
  return heaps.map((heap) => {
    if (!isUnmeasured(heap)) return heap;
    const { capacity, ...rest } = heap;
    if (isOne) return { ...rest, capacity: { value: cmaTotal, source: SOURCE } };
    return capacity === undefined ? heap : rest;
  });
}
