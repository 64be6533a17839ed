import type { MemoryClass } from '../../../dbus/names.js';
import type { Heap } from '../../heaps/heap.js';
import type { Fact, HeapFacts } from '../inventory.js';
import { comesFromCma, type CmaFree } from './heap-behaviour.js';
import type { WarningLog } from '../../messages/log.js';
import { failureOf } from './outcome.js';

const SOURCE = 'trial:CmaFree';

export interface ClassTrials {
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
 * tried is not among them and stays scattered, which promises least: whoever needs contiguous memory gets a conflict, and no
 * memory that is none.
 */
export async function classesByTrial(
  facts: readonly HeapFacts[],
  { heaps, free, pageSize, known, log }: ClassTrials,
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
    `whether the memory of heap ${heap.id} is contiguous is not known`,
  );
  return undefined;
}
