import { closeAll, type OwnedFd } from '../../../dbus/owned-fd.js';
import type { Heap } from '../../heaps/heap.js';

/** Buffers that are made, of which most must agree. */
const ROUNDS = 3;
const MIB = 1024n * 1024n;

/**
 * Bytes of a buffer that shows in CmaFree. The kernel counts pages for each processor apart and adds them up only beyond
 * 125 (mm/vmstat.c, MAX_THRESHOLD), so that CmaFree is wrong by 250 of them at worst; a fall of half of this is none of
 * these.
 */
const sizeFor = (pageSize: bigint): bigint => (512n * pageSize > 4n * MIB ? 512n * pageSize : 4n * MIB);

/** Bytes of CmaFree now; undefined where the kernel does not say. */
export type CmaFree = () => Promise<bigint | undefined>;

/**
 * Whether a heap's buffers come from CMA memory: CmaFree falls when they are made, and is higher again when most of them
 * are gone. They are held meanwhile, and one is made again before it is looked at whether it rose: making one from CMA
 * collects the pages that processors keep for themselves after a release (alloc_contig_range), which CmaFree leaves out.
 * Others take and give such memory too, but not as much at each of these moments.
 * @returns undefined when the kernel does not say how much of such memory is free
 * @throws {KernelError} the heap has not enough memory to tell, or fails otherwise
 */
export async function comesFromCma(
  heap: Heap,
  free: CmaFree,
  pageSize: bigint,
): Promise<boolean | undefined> {
  const size = sizeFor(pageSize);
  const held: OwnedFd[] = [];
  try {
    let before = await free();
    let falls = 0;
    let stays = 0;
    while (falls <= ROUNDS / 2 && stays <= ROUNDS / 2) {
      held.push(await heap.allocate(size));
      const after = await free();
      if (before === undefined || after === undefined) return undefined;
      if (before - after >= size / 2n) falls += 1;
      else stays += 1;
      before = after;
    }
    if (stays > falls || before === undefined) return false;
    const made = BigInt(held.length);
    closeAll(held.splice(0));
    held.push(await heap.allocate(size));
    const after = await free();
    return after !== undefined && after - before >= ((made - 1n) * size) / 2n;
  } finally {
    closeAll(held);
  }
}
