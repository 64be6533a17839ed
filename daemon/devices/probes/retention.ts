import type { Heap } from '../../heaps/heap.js';
import type { Kernel, DmaBufCalls } from '../../kernel/kernel.js';
import type { WarningLog } from '../../base/log.js';
import type { Fact, HeapFacts, Inventory, Retention } from '../inventory.js';
import { readPageSize } from '../memory-facts.js';
import type { KernelFiles } from '../sysfs.js';
import { probeGemObjects } from './gem-probe.js';
import { deviceKey, heapKey } from './keys.js';
import { failureOf } from './outcome.js';
import type { ProbeHistory } from './probe-history.js';

export interface RetentionProbes {
  readonly kernel: Pick<Kernel, 'memory' | 'drm' | 'dmaBuf'>;
  /** Put before every path. */
  readonly root: string;
  /** Those that may be tried, open (borrowed). */
  readonly heaps: readonly Heap[];
  /** Nodes of the heaps that are new; all of them when absent. */
  readonly only?: ReadonlySet<string>;
  readonly log?: WarningLog;
}

/**
 * The heaps, each with what a former holder of its buffers can keep. Until that is proved to be nothing, none of its buffers
 * is handed out a second time.
 */
export async function withRetention(
  inventory: Inventory,
  probes: RetentionProbes,
  files: KernelFiles,
  memory: ProbeHistory,
): Promise<readonly HeapFacts[]> {
  const pageSize = await readPageSize(files);
  const heaps: HeapFacts[] = [];
  for (const facts of inventory.heaps) {
    const heap = probes.heaps.find(({ id }) => id === facts.id);
    const isConcerned = probes.only === undefined || probes.only.has(facts.node ?? '');
    // Plain memory is never used again, whatever is known of it.
    if (heap === undefined || facts.kind === 'memfd' || !isConcerned) {
      heaps.push(facts);
      continue;
    }
    const key = await keyOf(facts, inventory, files);
    const found = memory.retention(key) ?? (await probe(facts, heap, probes, pageSize));
    if ('lacks' in found) warn(probes.log, facts, found.lacks);
    else {
      memory.addRetention(key, found);
      if (found.value === 'unknown') warn(probes.log, facts, found.source);
    }
    heaps.push('lacks' in found ? facts : { ...facts, retention: found });
  }
  return heaps;
}

async function keyOf(
  facts: HeapFacts,
  { devices }: Pick<Inventory, 'devices'>,
  files: KernelFiles,
): Promise<string> {
  const card = facts.kind === 'drm-dumb' ? devices.find(({ node }) => node === facts.node) : undefined;
  return heapKey(facts, card && (await deviceKey(files, card)));
}

/** What was found out, or why nothing was. */
async function probe(
  facts: HeapFacts,
  heap: Heap,
  { kernel, root }: RetentionProbes,
  pageSize: bigint,
): Promise<Fact<Retention> | { readonly lacks: string }> {
  try {
    return facts.kind === 'drm-dumb'
      ? await probeGemObjects(root + (facts.node ?? ''), kernel)
      : await probePins(heap, kernel.dmaBuf, pageSize);
  } catch (error) {
    const failure = failureOf(error);
    if (failure === undefined) throw error;
    return { lacks: failure.message };
  }
}

const warn = (log: WarningLog | undefined, { id }: HeapFacts, why: string): void =>
  log?.warn(
    { event: 'heap-retains', heap: id, why },
    `a client can keep memory of heap ${id} that it released, so its buffers are not handed out again`,
  );

/**
 * Whether a pipe can keep a page of a heap's buffer beyond its last mapping and its last descriptor. Some exporters let the
 * kernel pin what they map, and which do so changes from one kernel to the next: udmabuf and the CMA heap of Linux 6.1 do.
 * @throws {KernelError} the heap gives no buffer, or the attack cannot be played; nothing is proved then
 */
async function probePins(
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
