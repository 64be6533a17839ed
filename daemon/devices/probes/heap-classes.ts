import type { MemoryClass } from '../../../dbus/names.js';
import { closeAll, type OwnedFd } from '../../../dbus/owned-fd.js';
import type { Heap } from '../../heaps/heap.js';
import type { WarningLog } from '../../base/log.js';
import type { Fact, HeapFacts } from '../inventory.js';
import { failureOf } from './outcome.js';

const SOURCE = 'trial:CmaFree';

export interface ClassProbes {
  /** Those that may be tried, open (borrowed). */
  readonly heaps: readonly Heap[];
  readonly free: CmaFree;
  /** Bytes. */
  readonly pageSize: bigint;
  /** Classes of earlier trials, by heap id. */
  readonly known: ReadonlyMap<string, MemoryClass>;
  readonly log: WarningLog | undefined;
}

/** A dma-heap that nothing is known of but that it counts as scattered until it was tried. */
export const isUntried = ({ kind, class: { value, source } }: HeapFacts): boolean =>
  kind === 'dma-heap' && value === 'scattered' && source !== SOURCE;

/**
 * The class of each heap that the kernel publishes nothing of, as its behaviour shows it, by heap id. One that cannot be
 * tried is not among them and stays scattered, which promises least: a request for contiguous memory is a conflict and gets no
 * memory that is none.
 */
export async function classesByProbe(
  facts: readonly HeapFacts[],
  { heaps, free, pageSize, known, log }: ClassProbes,
): Promise<ReadonlyMap<string, Fact<MemoryClass>>> {
  const classes = new Map<string, Fact<MemoryClass>>();
  // One after the other, because each takes memory that the others would see missing.
  for (const heap of heaps) {
    if (!facts.some((fact) => fact.id === heap.id && isUntried(fact))) continue;
    const value = known.get(heap.id) ?? (await classOf(heap, free, pageSize, log));
    if (value !== undefined) classes.set(heap.id, { value, source: SOURCE });
  }
  return classes;
}

async function classOf(
  heap: Heap,
  free: CmaFree,
  pageSize: bigint,
  log: WarningLog | undefined,
): Promise<MemoryClass | undefined> {
  let why = 'the kernel does not tell CmaFree';
  try {
    const contiguous = await comesFromCma(heap, free, pageSize);
    if (contiguous !== undefined) return contiguous ? 'contiguous' : 'scattered';
  } catch (error) {
    const failure = failureOf(error);
    if (failure === undefined) throw error;
    why = failure.message;
  }
  log?.warn(
    { event: 'heap-class-unknown', heap: heap.id, why },
    `it is not known whether the memory of heap ${heap.id} is contiguous`,
  );
  return undefined;
}

/** Buffers that are made, of which most must agree. */
const PROBE_BUFFERS = 3;
const MIB = 1024n * 1024n;

/**
 * Bytes of a buffer that shows in CmaFree. The kernel counts pages for each processor apart and adds them up only beyond
 * 125 (mm/vmstat.c, MAX_THRESHOLD), so that CmaFree is wrong by 250 of them at worst; a fall of half of this is none of
 * these.
 */
const sizeFor = (pageSize: bigint): bigint => (512n * pageSize > 4n * MIB ? 512n * pageSize : 4n * MIB);

/** Bytes of CmaFree now; undefined where the kernel does not say. */
type CmaFree = () => Promise<bigint | undefined>;

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
    while (falls <= PROBE_BUFFERS / 2 && stays <= PROBE_BUFFERS / 2) {
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
