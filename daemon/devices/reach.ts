import type { Constraint } from '../constraints/types.js';
import type { DeviceRules } from '../policy/policy.js';
import { CPU, type Device, type HeapFacts, type ReachFact } from './inventory.js';

/** A heap that a device does not reach, and who says so. */
export interface Refusal {
  /** Heap id. */
  readonly heap: string;
  readonly source: string;
}

export interface Reach {
  /** Heap ids. */
  readonly heaps: readonly string[];
  readonly refusals: readonly Refusal[];
}

/** Which of the heaps a device can import from. @param trials what trial imports showed, of any device */
export function reachOf(
  device: Device,
  heaps: readonly HeapFacts[],
  trials: readonly ReachFact[],
  rules: DeviceRules,
): Reach {
  const own = new Map(
    trials.filter((trial) => trial.device === device.node).map((trial) => [trial.heap, trial]),
  );
  const refusals = heaps.flatMap((heap) => {
    const source = refusal(device, heap, own.get(heap.id), rules);
    return source === undefined ? [] : [{ heap: heap.id, source }];
  });
  const refused = new Set(refusals.map(({ heap }) => heap));
  return { heaps: heaps.map(({ id }) => id).filter((id) => !refused.has(id)), refusals };
}

/**
 * Who says that the device does not reach the heap; undefined when it does. In the order of trust: a trial that failed,
 * policy's rule, a trial that succeeded (drivers accept what they then show wrongly), what the kernel says.
 */
function refusal(
  device: Device,
  heap: HeapFacts,
  trial: ReachFact | undefined,
  { foreignImports }: DeviceRules,
): string | undefined {
  if (device.node === CPU) return undefined;
  if (heap.kind === 'memfd') return 'kernel:memfd';
  if (trial?.reachable === false) return trial.source;
  const isDumb = heap.kind === 'drm-dumb';
  if (isDumb && heap.node === device.node) return undefined;
  if (foreignImports !== undefined) return foreignImports.value ? undefined : foreignImports.source;
  if (trial !== undefined) return undefined;
  if (device.imports?.value === false) return device.imports.source;
  // Another device's own memory may be out of its sight (VRAM), and nothing published says which is.
  return isDumb ? 'kernel:PRIME_FD_TO_HANDLE' : undefined;
}

/**
 * What the device's reach asks of a decision: one constraint for each source that refuses anything, with the memories
 * that it leaves.
 * @param entry place in the request's device list
 * @param handles pool handle by heap id, of the heaps that have a pool
 */
export function reachConstraints(
  device: Device,
  entry: number,
  { refusals }: Reach,
  handles: ReadonlyMap<string, string>,
): readonly Constraint[] {
  const bySource = new Map<string, Set<string>>();
  for (const { heap, source } of refusals) {
    if (handles.has(heap)) bySource.set(source, (bySource.get(source) ?? new Set()).add(heap));
  }
  return [...bySource].map(([source, refused]) => ({
    kind: 'reach',
    value: [...handles].filter(([heap]) => !refused.has(heap)).map(([, handle]) => handle),
    origin: { entry, device: device.node, source },
  }));
}
