import type { Use } from '../../dbus/names.js';
import type { Constraint } from '../constraints/constraint-types.js';
import type { DeviceRules } from '../policy/policy.js';
import { CPU, type Device, type HeapFacts, type ReachFact } from './inventory.js';

/** A heap that a device does not reach, and who says so. */
export interface Refusal {
  /** Heap id. */
  readonly heap: string;
  readonly source: string;
  /** Only for these uses; for all when absent. */
  readonly uses?: readonly Use[];
}

export interface Reach {
  /** Heap ids; a heap that is refused for some uses alone is among them. */
  readonly heaps: readonly string[];
  readonly refusals: readonly Refusal[];
}

/** The heaps of a reach that do for all of certain uses; heap ids. Without uses, a refusal for certain uses counts nothing. */
export const reachedFor = ({ heaps, refusals }: Reach, uses: readonly Use[]): readonly string[] =>
  heaps.filter((id) => !refusals.some((refusal) => refusal.heap === id && concerns(refusal, uses)));

/** The heaps of a reach that do for anything at all that the device does; heap ids. */
export const reachedForAny = (reach: Reach, { uses }: Pick<Device, 'uses'>): readonly string[] =>
  uses.length === 0
    ? reach.heaps
    : reach.heaps.filter((id) => uses.some((use) => reachedFor(reach, [use]).includes(id)));

/** Ordinary memory of no driver's own, of which no trial has shown anything. */
const UNTRIED: HeapFacts = {
  id: '',
  kind: 'dma-heap',
  name: '',
  class: { value: 'scattered', source: '' },
  cpuAccess: 'cached',
  usable: true,
};

/** Whether a device takes memory that another driver made, as far as policy and the kernel say without a trial. */
export const importsForeign = (device: Device, use: Use, rules: DeviceRules): boolean =>
  reachedFor(reachOf(device, [UNTRIED], [], rules), [use]).length > 0;

const concerns = ({ uses: refused }: Refusal, uses: readonly Use[] | undefined): boolean =>
  refused === undefined || uses?.some((use) => refused.includes(use)) === true;

/** Which of the heaps a device can import from. @param heaps as policy has them @param probes what trial imports showed, of any device */
export function reachOf(
  device: Device,
  heaps: readonly HeapFacts[],
  probes: readonly ReachFact[],
  rules: DeviceRules,
): Reach {
  const own = probes.filter((probe) => probe.device === device.node);
  const refusals = heaps.flatMap((heap) =>
    refusalsOf(
      device,
      heap,
      own.filter((probe) => probe.heap === heap.id),
      rules,
    ),
  );
  const refused = new Set(refusals.filter(({ uses }) => uses === undefined).map(({ heap }) => heap));
  return { heaps: heaps.map(({ id }) => id).filter((id) => !refused.has(id)), refusals };
}

function refusalsOf(
  device: Device,
  heap: HeapFacts,
  probes: readonly ReachFact[],
  rules: DeviceRules,
): readonly Refusal[] {
  if (device.node === CPU) return [];
  const byUse = (rules.foreignImportsFor ?? []).map((rule) => ({
    uses: rule.uses,
    source: refusal(device, heap, probes, rule, rule.uses),
  }));
  const source = refusal(device, heap, probes, rules.foreignImports);
  if (source !== undefined) {
    const exempt = new Set(byUse.flatMap((rule) => (rule.source === undefined ? rule.uses : [])));
    const uses = device.uses.filter((use) => !exempt.has(use));
    return [{ heap: heap.id, source, ...(exempt.size > 0 && { uses }) }];
  }
  return [...byUse, ...probes.filter(({ reachable }) => !reachable)].flatMap(({ source, uses }) =>
    source === undefined || uses === undefined ? [] : [{ heap: heap.id, source, uses }],
  );
}

/** What a trial says that made a framebuffer, instead of only importing. */
const SHOWN = 'trial:ADDFB2';

/**
 * Who says that the device does not reach the heap; undefined when it does. In the order of trust: a trial that failed,
 * policy's rule, a trial that succeeded (drivers accept what they then show wrongly), what the kernel says.
 * @param uses what the rule is about; absent for whatever the device is to do
 */
function refusal(
  device: Device,
  heap: HeapFacts,
  probes: readonly ReachFact[],
  rule: DeviceRules['foreignImports'],
  uses: readonly Use[] = [],
): string | undefined {
  if (heap.kind === 'memfd') return 'kernel:memfd';
  const failed = probes.find(({ reachable, uses }) => !reachable && uses === undefined);
  if (failed !== undefined) return failed.source;
  const isDumb = heap.kind === 'drm-dumb';
  if (isDumb && heap.node === device.node) return undefined;
  const succeeded = probes.filter(({ reachable }) => reachable);
  if (rule?.value === 'tried') {
    const shows = uses.includes('scanout') ? ({ source }: ReachFact) => source === SHOWN : () => true;
    return succeeded.some(shows) ? undefined : rule.source;
  }
  if (rule !== undefined) return rule.value ? undefined : rule.source;
  if (succeeded.length > 0) return undefined;
  if (device.imports?.value === false) return device.imports.source;
  // Another device's own memory may be out of its sight (VRAM), and nothing published says which is. What must be in one
  // piece for a display without an IOMMU is RAM.
  return isDumb && heap.contiguous?.value !== true ? 'kernel:PRIME_FD_TO_HANDLE' : undefined;
}

/**
 * What the device's reach asks of a decision: one constraint for each source that refuses anything, with the memories
 * that it leaves.
 * @param entry place in the request's device list
 * @param uses what the device is to do; a refusal for certain uses does not count when nothing is said
 * @param handles pool handle by heap id, of the heaps that have a pool
 */
export function reachConstraints(
  device: Device,
  entry: number,
  { refusals }: Reach,
  uses: readonly Use[] | undefined,
  handles: ReadonlyMap<string, string>,
): readonly Constraint[] {
  const bySource = new Map<string, Set<string>>();
  for (const refusal of refusals) {
    const { heap, source } = refusal;
    if (concerns(refusal, uses) && handles.has(heap))
      bySource.set(source, (bySource.get(source) ?? new Set()).add(heap));
  }
  return [...bySource].map(([source, refused]) => ({
    kind: 'reach',
    value: [...handles].filter(([heap]) => !refused.has(heap)).map(([, handle]) => handle),
    origin: { entry, device: device.node, source },
  }));
}
