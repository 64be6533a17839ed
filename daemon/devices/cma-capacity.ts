import type { HeapFacts } from './inventory.js';
import { MEMINFO } from './meminfo.js';
import { kernelSource } from './sysfs.js';

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
