import type { HeapFacts } from './inventory.js';
import { MEMINFO } from './meminfo.js';
import { kernelSource } from './sysfs.js';

/**
 * The one heap that only the total of CMA memory speaks for can hand out no more than that.
 * @param cmaTotal bytes of all CMA regions; absent without CMA
 */
export function withCmaTotal(
  heaps: readonly HeapFacts[],
  cmaTotal: bigint | undefined,
): readonly HeapFacts[] {
  const isUnmeasured = (heap: HeapFacts): boolean =>
    heap.class.value === 'contiguous' && heap.capacity === undefined;
  if (cmaTotal === undefined || heaps.filter(isUnmeasured).length !== 1) return heaps;
  const capacity = { value: cmaTotal, source: kernelSource(MEMINFO) };
  return heaps.map((heap) => (isUnmeasured(heap) ? { ...heap, capacity } : heap));
}
