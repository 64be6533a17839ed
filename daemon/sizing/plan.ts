import type { MemoryClass } from '../../dbus/names.js';
import type { Device, HeapFacts, Inventory, Machine } from '../devices/inventory.js';
import { isTranslated, limitsInForce } from '../devices/limits-in-force.js';
import { isContiguous, ownerOf, ruledHeaps } from '../devices/ruled-heaps.js';
import type { Policy, PoolRules, SizeContext } from '../policy/policy.js';
import { largestFrame } from './frame.js';

/** One pool as policy wants it. */
export interface PoolPlan extends PoolRules {
  /** As policy has it (`ruledHeaps`). */
  readonly heap: HeapFacts;
  readonly class: MemoryClass;
  /** Its buffers are physically in one piece, whatever their class. */
  readonly contiguous: boolean;
  /** Its buffers are made as the picture that they are for, so that none lies ready for another. */
  readonly geometry: boolean;
  /** Its memory lies below 2^value. */
  readonly addressBits: number;
}

/** Ordinary memory first; scarce memory, which some devices cannot do without, last. */
const PREFERENCE: readonly MemoryClass[] = ['scattered', 'device', 'plain', 'contiguous', 'protected'];

/** What a display's driver takes from CMA is as scarce as a CMA heap's, and of less use. */
const rank = ({ class: memoryClass, contiguous }: PoolPlan): number =>
  memoryClass === 'device' && contiguous
    ? PREFERENCE.indexOf('contiguous') + 0.5
    : PREFERENCE.indexOf(memoryClass);

/** A pool for every heap that works and that policy lets be used, best first: by class, then by policy's order. */
export function planPools(inventory: Inventory, policy: Policy): readonly PoolPlan[] {
  const sizes = sizeContext(inventory);
  const planned = ruledHeaps(inventory, policy).flatMap((heap) => {
    const rules = policy.heap(heap);
    if (!heap.usable || rules.use?.value === false) return [];
    const memoryClass = heap.class.value;
    const context = heap.capacity === undefined ? sizes : { ...sizes, heap: heap.capacity.value };
    const bits = [
      addressBitsBelow(inventory.machine.ramTop.value),
      heap.addressBits?.value,
      rules.addressBits?.value,
      ownBits(heap, inventory, policy),
      defaultAreaBits(heap, inventory.machine),
    ];
    const { geometry } = rules;
    const plan: PoolPlan = {
      ...policy.pool(memoryClass, context),
      ...(geometry?.value === true && { warm: { value: 0n, source: geometry.source } }),
      heap,
      class: memoryClass,
      contiguous: isContiguous(heap),
      geometry: geometry?.value === true,
      addressBits: Math.min(...bits.filter((value) => value !== undefined)),
    };
    return [{ plan, order: rules.order?.value ?? 0 }];
  });
  return planned.toSorted((a, b) => rank(a.plan) - rank(b.plan) || a.order - b.order).map(({ plan }) => plan);
}

/** What a driver makes itself lies where its device reaches. */
function ownBits(heap: HeapFacts, inventory: Inventory, policy: Policy): number | undefined {
  const device = ownerOf(heap, inventory);
  if (device === undefined || isTranslated(device)) return undefined;
  if (device.dmaMaskBits !== undefined || !isContiguous(heap)) return device.dmaMaskBits?.value;
  return ruledBits(device, policy) ?? PLATFORM_BITS;
}

/** Bits of DMA addresses of a device on no bus that tells, unless its driver asks for more (of_dma_configure_id). */
const PLATFORM_BITS = 32;

const ruledBits = (device: Device, policy: Policy): number | undefined =>
  limitsInForce(device, policy.device(device), { uses: device.uses, format: undefined })
    .flatMap(({ limit, value }) => (limit === 'address-bits' ? [value] : []))
    .at(0);

/** Names of the area that the kernel itself reserves for contiguous memory (kernel/dma/contiguous.c; from 6.17 the second). */
const DEFAULT_AREA: readonly string[] = ['reserved', 'default_cma_region'];
/** Where it lies below what devices of 32 bits reach: arch/{arm,arm64,riscv}/mm/init.c, dma_contiguous_reserve. */
const LOW_AREA: readonly string[] = ['aarch64', 'armv6l', 'armv7l', 'armv8l', 'riscv64'];

/** How high the kernel's default area reaches where nothing else tells. */
const defaultAreaBits = ({ kind, name }: HeapFacts, { cmaTop, architecture }: Machine): number | undefined =>
  kind === 'dma-heap' &&
  cmaTop === undefined &&
  DEFAULT_AREA.includes(name) &&
  LOW_AREA.includes(architecture)
    ? 32
    : undefined;

/** What policy reckons sizes from on this machine, for no heap in particular. */
export const sizeContext = (inventory: Inventory): SizeContext => ({
  ram: inventory.machine.ram.value,
  frame: largestFrame(inventory.devices),
});

/** Bits that addresses below `top` take: the smallest b with top ≤ 2^b. All of them where the top is unknown. */
const addressBitsBelow = (top: bigint): number => (top > 0n ? (top - 1n).toString(2).length : 64);
