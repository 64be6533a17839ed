import type { MemoryClass } from '../../dbus/names.js';
import type { HeapFacts, Inventory } from '../devices/inventory.js';
import { isTranslated } from '../devices/limits-in-force.js';
import type { Policy, PoolRules, SizeContext } from '../policy/policy.js';
import { largestFrame } from './frame.js';

/** One pool as policy wants it. */
export interface PoolPlan extends PoolRules {
  /** As policy has it: the class is a rule's where there is one. */
  readonly heap: HeapFacts;
  readonly class: MemoryClass;
  /** Its memory lies below 2^value. */
  readonly addressBits: number;
}

/** Ordinary memory first; scarce memory, which some devices cannot do without, last. */
const PREFERENCE: readonly MemoryClass[] = ['scattered', 'device', 'plain', 'contiguous', 'protected'];

/** A pool for every heap that works and that policy lets be used, best first: by class, then by policy's order. */
export function planPools(inventory: Inventory, policy: Policy): readonly PoolPlan[] {
  const sizes = sizeContext(inventory);
  const planned = inventory.heaps.flatMap((heap) => {
    const rules = policy.heap(heap);
    if (!heap.usable || rules.use?.value === false) return [];
    const memoryClass = rules.class?.value ?? heap.class.value;
    const ruled = rules.class === undefined ? heap : { ...heap, class: rules.class };
    const context = heap.capacity === undefined ? sizes : { ...sizes, heap: heap.capacity.value };
    const bits = [
      addressBitsBelow(inventory.machine.ramTop.value),
      heap.addressBits?.value,
      rules.addressBits?.value,
      ownBits(heap, inventory),
    ];
    const plan: PoolPlan = {
      ...policy.pool(memoryClass, context),
      // Memory that is called protected is closed to the CPU, however its heap maps other memory.
      heap: memoryClass === 'protected' ? { ...ruled, cpuAccess: 'none' } : ruled,
      class: memoryClass,
      addressBits: Math.min(...bits.filter((value) => value !== undefined)),
    };
    return [{ plan, order: rules.order?.value ?? 0 }];
  });
  const rank = (memoryClass: MemoryClass): number => PREFERENCE.indexOf(memoryClass);
  return planned
    .toSorted((a, b) => rank(a.plan.class) - rank(b.plan.class) || a.order - b.order)
    .map(({ plan }) => plan);
}

/** What a driver makes itself lies where its device reaches. */
function ownBits({ kind, node }: HeapFacts, { devices }: Inventory): number | undefined {
  const device = kind === 'drm-dumb' ? devices.find((each) => each.node === node) : undefined;
  return device === undefined || isTranslated(device) ? undefined : device.dmaMaskBits?.value;
}

/** What policy reckons sizes from on this machine, for no heap in particular. */
export const sizeContext = (inventory: Inventory): SizeContext => ({
  ram: inventory.machine.ram.value,
  frame: largestFrame(inventory.devices),
});

/** Bits that addresses below `top` take: the smallest b with top ≤ 2^b. All of them where the top is unknown. */
const addressBitsBelow = (top: bigint): number => (top > 0n ? (top - 1n).toString(2).length : 64);
