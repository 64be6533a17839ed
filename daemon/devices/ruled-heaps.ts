import type { MemoryClass } from '../../dbus/names.js';
import type { HeapRules, Policy } from '../policy/policy.js';
import type { Device, Fact, HeapFacts, Inventory } from './inventory.js';
import { isTranslated, limitsInForce } from './limits-in-force.js';

/**
 * The machine's heaps as policy has them: its rules count more than what the kernel or a trial says. What a memory is
 * like is told by attributes that do not exclude each other; its class is the one of them that budgets go by.
 */
export const ruledHeaps = (inventory: Inventory, policy: Policy): readonly HeapFacts[] =>
  inventory.heaps.map((heap) => ruledHeap(heap, policy.heap(heap), ownerOf(heap, inventory), policy));

/** Whether every buffer of a heap is physically in one piece. */
export const isContiguous = ({ class: { value }, contiguous }: HeapFacts): boolean =>
  contiguous?.value ?? value === 'contiguous';

/** The device whose driver makes the heap's buffers. */
export const ownerOf = (
  { kind, node }: Pick<HeapFacts, 'kind' | 'node'>,
  { devices }: Pick<Inventory, 'devices'>,
): Device | undefined => (kind === 'drm-dumb' ? devices.find((device) => device.node === node) : undefined);

function ruledHeap(heap: HeapFacts, rules: HeapRules, owner: Device | undefined, policy: Policy): HeapFacts {
  const memoryClass = rules.class ?? heap.class;
  const contiguous = contiguity(heap, rules, owner, policy);
  const isProtected = memoryClass.value === 'protected';
  if (rules.class === undefined && contiguous === heap.contiguous && !isProtected) return heap;
  return {
    ...heap,
    class: memoryClass,
    ...(contiguous !== undefined && { contiguous }),
    // Memory that is called protected is closed to the CPU, however its heap maps other memory.
    ...(isProtected && { cpuAccess: 'none' }),
  };
}

/** Classes that say whether memory is in one piece. */
const SAYING: readonly MemoryClass[] = ['contiguous', 'scattered', 'plain'];

/** Whether a heap's memory is in one piece, and who says so; undefined where its class says it. */
function contiguity(
  heap: HeapFacts,
  rules: HeapRules,
  owner: Device | undefined,
  policy: Policy,
): Fact<boolean> | undefined {
  if (rules.contiguous !== undefined) {
    const { value, source } = rules.contiguous;
    const isTrue = value === 'yes' || (value === 'without-iommu' && !(owner && isTranslated(owner)));
    return { value: isTrue, source };
  }
  const ruled = rules.class;
  if (ruled !== undefined && SAYING.includes(ruled.value))
    return heap.contiguous && { value: ruled.value === 'contiguous', source: ruled.source };
  if (heap.contiguous !== undefined) return heap.contiguous;
  const memoryClass = (ruled ?? heap.class).value;
  if (memoryClass === 'device') return owner && ownContiguity(owner, policy);
  if (memoryClass !== 'protected') return undefined;
  if (heap.class.value === 'contiguous') return { value: true, source: heap.class.source };
  // Only memory that was set aside has a size of its own.
  return heap.capacity && { value: true, source: heap.capacity.source };
}

/**
 * What a display's driver allocates, its display can show: where that takes memory in one piece only, its dumb buffers
 * are such (drm_gem_dma_dumb_create takes them from CMA).
 */
function ownContiguity(owner: Device, policy: Policy): Fact<boolean> | undefined {
  if (!owner.uses.includes('scanout')) return undefined;
  const limits = limitsInForce(owner, policy.device(owner), { uses: ['scanout'], format: undefined });
  const needed = limits.find(({ limit, value }) => limit === 'contiguous' && value);
  return needed && { value: true, source: needed.source };
}
