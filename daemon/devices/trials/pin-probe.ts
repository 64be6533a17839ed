import type { Heap } from '../../heaps/heap.js';
import type { DmaBufCalls } from '../../kernel/kernel.js';
import type { Fact, Retention } from '../inventory.js';

/**
 * Whether a pipe can keep a page of a heap's buffer beyond its last mapping and its last descriptor. Some exporters let the
 * kernel pin what they map, and which do so changes from one kernel to the next: udmabuf and the CMA heap of Linux 6.1 do.
 * @throws {KernelError} the heap gives no buffer, or the attack cannot be played; nothing is proved then
 */
export async function probePins(
  heap: Heap,
  dmaBuf: Pick<DmaBufCalls, 'pinFirstPage'>,
  pageSize: bigint,
): Promise<Fact<Retention>> {
  using buffer = await heap.allocate(pageSize);
  const outcomes = (['shared', 'private'] as const).map((sharing) =>
    dmaBuf.pinFirstPage(buffer.number, sharing),
  );
  return outcomes.every((outcome) => outcome === 'refused')
    ? { value: 'nothing', source: 'probe:VMSPLICE:EFAULT' }
    : { value: 'unknown', source: 'probe:VMSPLICE' };
}
